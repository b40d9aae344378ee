"""Run reports in S3."""

from __future__ import annotations

from lambdas.common.documents import Documents
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.uris import s3_uri
from pipeline_code.data_pipeline.contract import RUNS_PREFIX


class S3RunReports:
    """Reports beside the datasets, in the model input store; a run that died has none."""

    def __init__(self, documents: Documents, bucket: str) -> None:
        self._documents = documents
        self._bucket = bucket

    def rejection(self, run_id: str) -> str | None:
        """Give the reason for which a run rejected its batch, if it did."""
        try:
            report = self._documents.read(
                s3_uri(self._bucket, f"{RUNS_PREFIX}{run_id}/report.json")
            )
        except DocumentNotFoundError:
            return None
        return str(report["reason"]) if report["status"] == "rejected" else None
