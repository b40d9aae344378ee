"""What a transformation job is made of on either engine: script, code, arguments, data rights."""

from __future__ import annotations

from aws_cdk import IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from pipeline_code.data_pipeline.contract import (
    ANALYTICS_PREFIX,
    BATCHES_PREFIX,
    DATASETS_PREFIX,
    LABEL_INDEX_PREFIX,
    LABEL_ROWS_PREFIX,
    LANDING_PREFIX,
    QUARANTINE_PREFIX,
    RUNS_PREFIX,
    STAGING_PREFIX,
    TransformArguments,
)
from stacks.common.assets import REPOSITORY, grant_asset, job_admissions
from stacks.common.grants import grant_items
from stacks.common.table import DataTable
from stacks.config.model import Deployed
from stacks.data_pipeline.feature_groups import FeatureGroups
from stacks.foundation.buckets import Buckets


class TransformCode:
    """The published script and code; `version` is the digest of all that the job can import.

    Its assets lie beside the job, in the scope it is given.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployed: Deployed,
        engine: str,
        buckets: Buckets,
        lookup: DataTable,
        features: FeatureGroups,
    ) -> None:
        self._deployed = deployed
        self._buckets = buckets
        self._engine = engine
        self._lookup = lookup
        self._features = features
        self.script = assets.Asset(
            scope,
            "Script",
            path=str(REPOSITORY / "pipeline_code" / "data_pipeline" / "transform_job.py"),
        )
        self.packages = assets.Asset(
            scope,
            "Code",
            path=str(REPOSITORY),
            exclude=job_admissions(),
            ignore_mode=IgnoreMode.GIT,
        )
        self.version = self.packages.asset_hash

    def arguments(self) -> dict[str, str]:
        """Give the job's arguments that are the same in every run, by name."""
        return {
            f"--{TransformArguments.USE_CASE}": self._deployed.use_case,
            f"--{TransformArguments.RAW_LAKE_BUCKET}": self._buckets.raw_lake.bucket_name,
            f"--{TransformArguments.MODEL_INPUT_BUCKET}": self._buckets.model_input.bucket_name,
            f"--{TransformArguments.CODE_VERSION}": self.version,
            f"--{TransformArguments.CODE_COMMIT}": self._deployed.commit,
            f"--{TransformArguments.ENGINE}": self._engine,
            f"--{TransformArguments.ANALYTICS_BUCKET}": self._buckets.analytics.bucket_name,
            f"--{TransformArguments.ANALYTICS_TABLE}": self._lookup.table_name,
            **self._features.arguments(),
        }

    def grant_to(self, role: iam.Role) -> None:
        """Let a job read its code, what landed and what it made, and write what it makes."""
        grant_asset(role, self.script)
        grant_asset(role, self.packages)
        raw_lake, model_input = self._buckets.raw_lake, self._buckets.model_input
        # A later delivery must not change what a run reads: it names each file's version.
        raw_lake.allow_read_versions(role, LANDING_PREFIX)
        raw_lake.allow_read(role, BATCHES_PREFIX)
        for prefix in (STAGING_PREFIX, DATASETS_PREFIX, RUNS_PREFIX):
            model_input.allow_read(role, prefix)
            model_input.allow_write(role, prefix)
        raw_lake.allow_read(role, QUARANTINE_PREFIX)
        raw_lake.allow_write(role, QUARANTINE_PREFIX)
        # Spark removes the temporary files that it writes before their final names.
        raw_lake.allow_delete(role, QUARANTINE_PREFIX)
        model_input.allow_delete(role, STAGING_PREFIX)
        for prefix in (ANALYTICS_PREFIX, LABEL_ROWS_PREFIX, LABEL_INDEX_PREFIX):
            self._buckets.analytics.allow_write(role, prefix)
        # What was known before is merged with what is told now.
        self._buckets.analytics.allow_read(role, LABEL_INDEX_PREFIX)
        grant_items(self._lookup, role, "BatchWriteItem", "UpdateItem")
        self._features.grant_ingestion(role)
