"""Where a job's lines go: CloudWatch Logs and S3, as its monitoring configuration says."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.jobs.host import client
from localcloud.jobs.log_delivery import LogStream

LOG = logging.getLogger(__name__)
DEFAULT_GROUP = "/aws/emr-serverless"
STREAMS = ("stdout", "stderr")


class JobLogs:
    """The two streams of a job's driver; closing delivers them."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        *,
        application: str,
        run: str,
        role: dict[str, str],
        folder: Path,
    ) -> None:
        self._role = role
        self._where = f"applications/{application}/jobs/{run}/SPARK_DRIVER"
        self._uri = configuration.get("s3MonitoringConfiguration", {}).get("logUri")
        self._files = {name: (folder / name).open("w", encoding="utf-8") for name in STREAMS}
        self._streams = self._cloudwatch(configuration.get("cloudWatchLoggingConfiguration", {}))

    def output(self, line: str) -> None:
        """Take a line of the standard output."""
        self._write("stdout", line)

    def error(self, line: str) -> None:
        """Take a line of the standard error."""
        self._write("stderr", line)

    def close(self) -> None:
        """Deliver what is left; a refusal of the log's place does not fail the job."""
        for stream in self._streams.values():
            stream.close()
        for name, file in self._files.items():
            file.close()
            if self._uri:
                self._upload(name, Path(file.name))

    def _write(self, name: str, line: str) -> None:
        self._files[name].write(f"{line}\n")
        if name in self._streams:
            self._streams[name].write(line)

    def _cloudwatch(self, configuration: Mapping[str, Any]) -> dict[str, LogStream]:
        if not configuration.get("enabled"):
            return {}
        prefix = configuration.get("logStreamNamePrefix")
        where = f"{prefix}/{self._where}" if prefix else self._where
        group = configuration.get("logGroupName", DEFAULT_GROUP)
        logs = client("logs", self._role)
        return {name: LogStream(logs, group, f"{where}/{name}") for name in STREAMS}

    def _upload(self, name: str, file: Path) -> None:
        parts = urlsplit(self._uri)
        key = f"{parts.path.strip('/')}/{self._where}/{name}.gz".lstrip("/")
        try:
            client("s3", self._role).put_object(
                Bucket=parts.netloc, Key=key, Body=gzip.compress(file.read_bytes())
            )
        except (BotoCoreError, ClientError) as error:
            LOG.warning("log delivery to s3://%s/%s stopped: %s", parts.netloc, key, error)
