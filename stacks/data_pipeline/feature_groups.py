"""The feature store: a feature group for each group of the use case's inputs, and its table."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    FEATURES_PREFIX,
    TransformArguments,
    feature_group_name,
)
from pipeline_code.use_case import UseCase
from stacks.common.bucket import DataBucket
from stacks.common.grants import grant_on
from stacks.config.model import FeatureStoreSettings
from stacks.data_pipeline.feature_table import FeatureTable
from stacks.data_pipeline.offline_store_role import OfflineStoreRole

FEATURE_TYPES = {
    "string": "String",
    "datetime": "String",
    "integer": "Integral",
    "number": "Fractional",
}


class FeatureGroups(Construct):
    """What the job feeds, what serving looks up by `entity_id`, and what both may do."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        use_case: UseCase,
        prefix: str,
        settings: FeatureStoreSettings,
        store: DataBucket,
        database: glue.CfnDatabase,
        removal: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.prefix = prefix
        self._settings = settings
        self._store = store
        self._use_case = use_case
        role = OfflineStoreRole(self, "Role", store=store)
        for group in use_case.inputs:
            place = Construct(self, group.replace("_", " ").title().replace(" ", ""))
            name = self._name(group)
            table = FeatureTable(
                place,
                "Table",
                name=name,
                fields=self._fields(group),
                store=store,
                database=database,
            )
            made = self._group(place, group, role, table)
            made.apply_removal_policy(removal)
            made.node.add_dependency(role, table)

    def _name(self, group: str) -> str:
        """Name a feature group: serving must know it beforehand."""
        return feature_group_name(self.prefix, group, self._use_case.inputs_version)

    def _fields(self, group: str) -> dict[str, str]:
        """Give the features and their types, those that every group has first."""
        inputs = {field.name: field.type for field in self._use_case.inputs[group].values()}
        return {ENTITY_COLUMN: "string", EVENT_TIME_COLUMN: "datetime", **inputs}

    def _group(
        self, scope: Construct, group: str, role: iam.Role, table: FeatureTable
    ) -> sagemaker.CfnFeatureGroup:
        return sagemaker.CfnFeatureGroup(
            scope,
            "Group",
            feature_group_name=self._name(group),
            description=f"Inputs of group {group} of the use case {self._use_case.name}",
            record_identifier_feature_name=ENTITY_COLUMN,
            event_time_feature_name=EVENT_TIME_COLUMN,
            feature_definitions=[
                sagemaker.CfnFeatureGroup.FeatureDefinitionProperty(
                    feature_name=name, feature_type=FEATURE_TYPES[kind]
                )
                for name, kind in self._fields(group).items()
            ],
            role_arn=role.role_arn,
            online_store_config=self._online(),
            offline_store_config={
                "S3StorageConfig": {
                    "S3Uri": self._store.s3_url_for_object(FEATURES_PREFIX.rstrip("/")),
                    "KmsKeyId": self._store.key.key_arn,
                },
                # The table covers what the job writes; see decision 14.
                "DisableGlueTableCreation": True,
                "DataCatalogConfig": table.location(),
            },
        )

    def _online(self) -> dict[str, object]:
        days = self._settings.ttl_days
        return {
            "EnableOnlineStore": True,
            "SecurityConfig": {"KmsKeyId": self._store.key.key_arn},
            **({"TtlDuration": {"Unit": "Days", "Value": days}} if days else {}),
        }

    def arguments(self) -> dict[str, str]:
        """Give the job's arguments that say where its rows and records go."""
        return {
            f"--{TransformArguments.FEATURE_GROUP_PREFIX}": self.prefix,
            f"--{TransformArguments.ONLINE_DAYS}": str(self._settings.online_days),
        }

    def grant_ingestion(self, role: iam.Role) -> None:
        """Let a job write records that are due, and add files to the offline store."""
        self._store.allow_write(role, FEATURES_PREFIX)
        grant_on(
            role,
            "sagemaker:BatchGetRecord",
            # AWS asks for both when records are written in batches.
            "sagemaker:BatchWriteRecord",
            "sagemaker:PutRecord",
            resources=[
                Stack.of(self).format_arn(
                    service="sagemaker", resource="feature-group", resource_name=self._name(group)
                )
                for group in self._use_case.inputs
            ],
        )
