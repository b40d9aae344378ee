"""Program that runs one Glue job in its own process, holding nothing but the job role's session.

Run as `python -m localcloud.glue.launcher SPECIFICATION`, a JSON file. It fetches the script and
its libraries, serves `s3://` to Spark through the WebHDFS bridge, runs the script and takes over
its exit code.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.glue.arguments import listed, named_buckets, script_arguments, spark_settings
from localcloud.glue.java import JavaMissingError, java_settings
from localcloud.jobs import leash
from localcloud.spark_filesystem.configuration import COMMITTER_SETTINGS, mount_settings
from localcloud.spark_filesystem.filesystem import RunFileSystem
from localcloud.spark_filesystem.object_store import S3Tree
from localcloud.spark_filesystem.server import WebHdfsServer
from localcloud.spark_filesystem.staging import StagingArea

CONNECTIONS = 32
FAILED_TO_LAUNCH = 125
LIBRARY = Path(__file__).with_name("script_library")
Specification = dict[str, Any]


def main(file: str) -> int:
    """Run the job that a specification describes."""
    specification = json.loads(Path(file).read_text("utf-8"))
    s3 = boto3.client("s3", config=Config(max_pool_connections=CONNECTIONS))
    try:
        return _run(specification, s3)
    except (BotoCoreError, ClientError, JavaMissingError) as error:
        sys.stderr.write(f"LAUNCH ERROR | {error}\n")
        return FAILED_TO_LAUNCH


def _run(specification: Specification, s3: Any) -> int:
    folder = Path(specification["folder"])
    arguments = specification["arguments"]
    script = _fetch(s3, specification["script"], folder)
    libraries = [_fetch(s3, uri, folder) for uri in listed(arguments, "--extra-py-files")]
    for uri in listed(arguments, "--extra-files"):
        _fetch(s3, uri, folder)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in [*libraries, LIBRARY])
    environment["TZ"] = "UTC"
    if specification["spark"]:
        environment |= java_settings() | _spark(specification, s3, folder)
    command = [
        *(sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), str(folder)),
        *(sys.executable, str(script)),
        *script_arguments(arguments, specification["job_name"], specification["run_id"]),
    ]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _spark(specification: Specification, s3: Any, folder: Path) -> dict[str, str]:
    staging = StagingArea(folder / "uncommitted")
    server = WebHdfsServer(RunFileSystem(S3Tree(s3), staging), secrets.token_hex(16))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = specification["arguments"]
    buckets = sorted({*specification["buckets"], *named_buckets(arguments)})
    settings = {
        **_local_settings(specification, folder),
        **COMMITTER_SETTINGS,
        **spark_settings(arguments),
        **mount_settings(server, buckets),
    }
    configuration = folder / "conf"
    configuration.mkdir()
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    (configuration / "spark-defaults.conf").write_text(lines, encoding="utf-8")
    return {
        "SPARK_CONF_DIR": str(configuration),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        # Java knows no TMPDIR, and its performance data always goes to /tmp.
        "JAVA_TOOL_OPTIONS": f"-XX:-UsePerfData -Djava.io.tmpdir={folder}",
    }


def _local_settings(specification: Specification, folder: Path) -> dict[str, str]:
    return {
        "spark.app.name": specification["job_name"],
        "spark.master": f"local[{specification['cores']}]",
        "spark.driver.memory": specification["memory"],
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # A job of minutes ends before the second compiler's work has paid for itself.
        "spark.driver.extraJavaOptions": (
            f"-XX:TieredStopAtLevel=1 -Duser.timezone=UTC -Dderby.system.home={folder}"
        ),
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(4 * specification["cores"]),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _fetch(s3: Any, uri: str, folder: Path) -> Path:
    parts = urlsplit(uri, allow_fragments=False)
    target = folder / Path(parts.path).name
    try:
        body = s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"]
    except ClientError as error:
        sys.stderr.write(f"LAUNCH ERROR | cannot read {uri}\n")
        raise error from None
    target.write_bytes(body.read())
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
