"""Data pipeline: sources land in the raw lake, Spark turns them into an immutable dataset version.

An object under `landing/` starts the workflow; when all required sources are there it claims the
batch, runs the Spark job, publishes the version to the model input store and announces it. What
breaks a contract is quarantined with its reason. The catalog names each source's table, so that
raw data can be queried in place.
"""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from constructs import Construct

from pipeline_code.use_case import load_use_case
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.common.release_role import ReleaseRole
from stacks.config.model import EnvironmentConfig
from stacks.data_pipeline.arrival import ArrivalTrigger
from stacks.data_pipeline.catalog import Catalog
from stacks.data_pipeline.dataset_retention import DatasetRetention
from stacks.data_pipeline.engine import transform_engine
from stacks.data_pipeline.feature_groups import FeatureGroups
from stacks.data_pipeline.function_settings import data_props
from stacks.data_pipeline.queries import Queries
from stacks.data_pipeline.saved_queries import saved_queries
from stacks.data_pipeline.source_pulls import add_source_pulls
from stacks.data_pipeline.workflow import DataWorkflow
from stacks.foundation.buckets import Buckets
from stacks.foundation.tables import Tables


class DataPipelineStack(EnvironmentStack):
    """From raw sources to dataset versions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        buckets: Buckets,
        tables: Tables,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        use_case = load_use_case(config.use_case)
        catalog = Catalog(
            self,
            "Catalog",
            database_name=config.database_name,
            use_case=use_case,
            buckets=buckets,
        )
        queries = Queries(
            self,
            "Queries",
            name=config.work_group_name,
            catalog=catalog,
            buckets=buckets,
            saved=saved_queries(use_case),
            settings=config.data_pipeline,
        )
        features = FeatureGroups(
            self,
            "FeatureGroups",
            use_case=use_case,
            prefix=config.feature_group_prefix,
            settings=config.feature_store,
            store=buckets.analytics,
            database=catalog.database,
            removal=RemovalPolicy[config.foundation.removal.upper()],
        )
        transform = transform_engine(
            self,
            deployed=config.deployed,
            buckets=buckets,
            tables=tables,
            features=features,
            settings=config.data_pipeline,
            log_days=config.log_days,
        )
        props = data_props(
            use_case=use_case,
            code_version=transform.code_version,
            buckets=buckets,
            tables=tables,
            log_days=config.log_days,
            settle_seconds=config.data_pipeline.settle_seconds,
        )
        workflow = DataWorkflow(
            self,
            "Run",
            props=props,
            catalog=catalog,
            transform=transform,
            settle_seconds=config.data_pipeline.settle_seconds,
        )
        add_source_pulls(self, "SourcePulls", use_case=use_case, props=props)
        ArrivalTrigger(self, "Arrival", raw_lake=buckets.raw_lake, machine=workflow.machine)
        retention = DatasetRetention(
            self,
            "DatasetRetention",
            props=props,
            catalog=catalog,
            settings=config.data_pipeline,
        )
        release = ReleaseRole(
            self,
            "ReleaseRole",
            name=config.release_role_name("data"),
            stage_name=config.stage_name,
            pipeline_account=config.pipeline_account,
        )
        release.allow_run(workflow.machine)
        publish(
            self,
            RetentionFunctionName=retention.function.function_name,
            WorkflowArn=workflow.machine.state_machine_arn,
            DatabaseName=catalog.database.ref,
            WorkGroupName=queries.work_group.name,
            FeatureGroupPrefix=features.prefix,
            **transform.outputs,
        )
