"""The function that lets go of old dataset versions, and the schedule that calls it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from lambdas.data_pipeline.contract import Setting
from pipeline_code.data_pipeline.contract import ANALYTICS_PREFIX, DATASET_TABLE, DATASETS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_on
from stacks.config.model import DataPipelineSettings
from stacks.data_pipeline.catalog import Catalog
from stacks.foundation.step_props import StepProps


class DatasetRetention(BlockFunction):
    """Keeps what the policy keeps, what is the latest, and what a training or a model rests on."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        catalog: Catalog,
        settings: DataPipelineSettings,
    ) -> None:
        buckets, tables = props.buckets, props.tables
        super().__init__(
            scope,
            construct_id,
            block="data_pipeline",
            name="expire_datasets",
            settings={
                **props.settings,
                Setting.ANALYTICS_BUCKET: buckets.analytics.bucket_name,
                Setting.MODEL_TABLE: tables.models.table_name,
                Setting.DATABASE_NAME: catalog.database.ref,
                Setting.KEEP_DATASETS: str(settings.keep_datasets),
                Setting.KEEP_DAYS: str(settings.keep_dataset_days),
            },
            log_days=props.log_days,
            timeout_seconds=900,
        )
        self._grant(props, catalog)
        self._schedule(settings.expiry_hours)

    def _grant(self, props: StepProps, catalog: Catalog) -> None:
        buckets, tables = props.buckets, props.tables
        for bucket, prefix in (
            (buckets.model_input, DATASETS_PREFIX),
            (buckets.analytics, ANALYTICS_PREFIX),
        ):
            bucket.allow_delete(self.role, prefix)
            grant_on(self.role, "s3:ListBucket", resources=[bucket.bucket_arn])
        grant_items(tables.metadata, self.role, "GetItem", "Query", "UpdateItem")
        grant_items(tables.models, self.role, "Query")
        grant_append(tables.ledger, self.role)
        grant_on(
            self.role,
            "glue:GetPartitions",
            "glue:DeletePartition",
            resources=catalog.arns(DATASET_TABLE),
        )

    def _schedule(self, hours: int) -> None:
        """Call the function now and then; what it does not finish, the next call does."""
        events.Rule(
            self,
            "Schedule",
            description="Old dataset versions expire",
            schedule=events.Schedule.rate(Duration.hours(hours)),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    event=events.RuleTargetInput.from_object({"dry_run": False}),
                    max_event_age=Duration.hours(1),
                    retry_attempts=2,
                )
            ],
        )
