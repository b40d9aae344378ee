"""The step that makes known to the catalog and to look-ups what a run wrote."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.data_pipeline.contract import Setting
from pipeline_code.data_pipeline.contract import DATASET_TABLE, DATASETS_PREFIX, RUNS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_on
from stacks.common.task import Task, function_task
from stacks.data_pipeline.catalog import Catalog
from stacks.foundation.step_props import StepProps


class RunCatalogStep(BlockFunction):
    """Registers partitions, and swaps look-ups to the rows of the latest dataset version."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, catalog: Catalog
    ) -> None:
        buckets, tables = props.buckets, props.tables
        super().__init__(
            scope,
            construct_id,
            block="data_pipeline",
            name="catalog_run",
            settings={
                **props.settings,
                Setting.ANALYTICS_BUCKET: buckets.analytics.bucket_name,
                Setting.ANALYTICS_TABLE: tables.analytics.table_name,
                Setting.DATABASE_NAME: catalog.database.ref,
            },
            log_days=props.log_days,
            timeout_seconds=300,
        )
        for prefix in (RUNS_PREFIX, DATASETS_PREFIX):
            buckets.model_input.allow_read(self.role, prefix)
        grant_items(tables.metadata, self.role, "GetItem")
        grant_items(
            tables.analytics,
            self.role,
            "GetItem",
            "PutItem",
            "UpdateItem",
            "Query",
            "BatchWriteItem",
        )
        registered = catalog.arns(*catalog.run_tables)
        grant_on(self.role, "glue:GetTable", "glue:BatchCreatePartition", resources=registered)
        # The job decides the columns of the dataset versions' table, so its runs keep it.
        declared = catalog.arns(DATASET_TABLE)
        grant_on(self.role, "glue:CreateTable", "glue:UpdateTable", resources=declared)

    def state(self, workflow_role: iam.Role, name: str) -> Task:
        """Leave what was registered under `$.catalog`."""
        return function_task(
            self,
            name,
            function=self,
            workflow_role=workflow_role,
            payload={"run_id.$": "$.batch.run_id"},
            result_path="$.catalog",
        )
