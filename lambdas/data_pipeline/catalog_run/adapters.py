"""Run reports and manifests in S3, and the addresses of the zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from lambdas.common.documents import Documents
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.uris import s3_uri
from pipeline_code.data_pipeline.contract import RUNS_PREFIX, DatasetManifest, RunReport


@dataclass(frozen=True)
class Buckets:
    """The buckets of the zones."""

    raw_lake_bucket: str
    model_input_bucket: str
    analytics_bucket: str

    def raw_lake(self, key: str) -> str:
        """Give an address in the raw lake."""
        return s3_uri(self.raw_lake_bucket, key)

    def model_input(self, key: str) -> str:
        """Give an address in the model input store."""
        return s3_uri(self.model_input_bucket, key)

    def analytics(self, key: str) -> str:
        """Give an address in the analytics store."""
        return s3_uri(self.analytics_bucket, key)


class S3Runs:
    """Reports beside the datasets, in the model input store."""

    def __init__(self, documents: Documents, buckets: Buckets) -> None:
        self._documents = documents
        self._buckets = buckets

    def report(self, run_id: str) -> RunReport | None:
        """Read a run's report; a run that died has none."""
        uri = self._buckets.model_input(f"{RUNS_PREFIX}{run_id}/report.json")
        try:
            return cast(RunReport, self._documents.read(uri))
        except DocumentNotFoundError:
            return None

    def manifest(self, key: str) -> DatasetManifest:
        """Read a dataset's manifest."""
        return cast(DatasetManifest, self._documents.read(self._buckets.model_input(key)))
