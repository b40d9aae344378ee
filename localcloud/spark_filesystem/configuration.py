"""The Spark settings that mount S3 buckets on the bridge, as `spark-defaults.conf` lines."""

from __future__ import annotations

from collections.abc import Iterable

from localcloud.spark_filesystem.server import WebHdfsServer

SCHEMES = ("s3", "s3a", "s3n")
OVERLOAD = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"


def mount_settings(server: WebHdfsServer, buckets: Iterable[str]) -> dict[str, str]:
    """Make every bucket reachable under `s3://`, `s3a://` and `s3n://`."""
    settings = {f"spark.hadoop.fs.{scheme}.impl": OVERLOAD for scheme in SCHEMES}
    settings |= {f"spark.hadoop.fs.{scheme}.impl.disable.cache": "false" for scheme in SCHEMES}
    for bucket in buckets:
        mount = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"
        settings[mount] = server.mount(bucket)
    return settings


COMMITTER_SETTINGS = {
    # Hadoop's defaults name the S3A committer, which its client jars do not hold.
    "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": (
        "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
    ),
    # Uncommitted files never reach S3 (see staging.py), so a task may commit on its own.
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.cleanup-failures.ignored": "true",
    "spark.hadoop.dfs.webhdfs.socket.read-timeout": "600s",
}
