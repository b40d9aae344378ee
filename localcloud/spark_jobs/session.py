"""The Spark that a job's program finds: local mode, with `s3://` served as the job's role."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.spark_filesystem.configuration import COMMITTER_SETTINGS, mount_settings
from localcloud.spark_filesystem.filesystem import RunFileSystem
from localcloud.spark_filesystem.object_store import S3Tree
from localcloud.spark_filesystem.server import WebHdfsServer
from localcloud.spark_filesystem.staging import StagingArea
from localcloud.spark_jobs.java import java_settings


@dataclass(frozen=True)
class SparkRequest:
    """What a job asks of its session, and what this machine gives it."""

    name: str
    cores: int
    memory: str
    settings: Mapping[str, str]
    buckets: Iterable[str]
    python: str = sys.executable


def spark_environment(request: SparkRequest, s3: Any, folder: Path) -> dict[str, str]:
    """Serve `s3://` to Spark from this process; give the variables that make a program use it."""
    server = WebHdfsServer(
        RunFileSystem(S3Tree(s3), StagingArea(folder / "uncommitted")), secrets.token_hex(16)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        **_local_settings(request, folder),
        **COMMITTER_SETTINGS,
        **request.settings,
        **mount_settings(server, sorted(set(request.buckets))),
    }
    configuration = folder / "conf"
    configuration.mkdir()
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    (configuration / "spark-defaults.conf").write_text(lines, encoding="utf-8")
    return java_settings() | {
        "SPARK_CONF_DIR": str(configuration),
        "PYSPARK_PYTHON": request.python,
        "PYSPARK_DRIVER_PYTHON": request.python,
        "SPARK_LOCAL_IP": "127.0.0.1",
        # Java knows no TMPDIR, and its performance data always goes to /tmp.
        "JAVA_TOOL_OPTIONS": f"-XX:-UsePerfData -Djava.io.tmpdir={folder}",
    }


def _local_settings(request: SparkRequest, folder: Path) -> dict[str, str]:
    return {
        "spark.app.name": request.name,
        "spark.master": f"local[{request.cores}]",
        "spark.driver.memory": request.memory,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # A job of minutes ends before the second compiler's work has paid for itself.
        "spark.driver.extraJavaOptions": (
            f"-XX:TieredStopAtLevel=1 -Duser.timezone=UTC -Dderby.system.home={folder}"
        ),
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(4 * request.cores),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
