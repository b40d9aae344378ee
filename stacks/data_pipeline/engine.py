"""The engine that runs the Spark job: the environment's config chooses it, nothing else knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.task import Task
from stacks.config.model import DataPipelineSettings, Deployed, LogRetentionDays
from stacks.data_pipeline.emr_transform import EmrTransformJob
from stacks.data_pipeline.feature_groups import FeatureGroups
from stacks.data_pipeline.job_security import JobSecurity
from stacks.data_pipeline.transform import TransformJob
from stacks.foundation.buckets import Buckets
from stacks.foundation.tables import Tables


class TransformEngine(Protocol):
    """A Spark job on some engine, its role and its step."""

    role: iam.Role
    code_version: str
    """Digest of all the code that the job can import."""
    timeout_seconds: int
    """Limit of the step: the job's own and its time in the queue."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """Give what an operator finds the job by, as outputs of the stack."""

    def step(self, workflow_role: iam.Role) -> Task:
        """Run the job on the batch under `$.batch` and wait for its end."""


def transform_engine(
    scope: Construct,
    *,
    deployed: Deployed,
    buckets: Buckets,
    tables: Tables,
    features: FeatureGroups,
    settings: DataPipelineSettings,
    log_days: LogRetentionDays,
) -> TransformEngine:
    """Make the job on the engine that the settings name."""
    if settings.engine == "emr_serverless":
        return EmrTransformJob(
            scope,
            "EmrTransform",
            deployed=deployed,
            buckets=buckets,
            lookup=tables.analytics,
            features=features,
            settings=settings,
            log_days=log_days,
        )
    return TransformJob(
        scope,
        "Transform",
        deployed=deployed,
        security=JobSecurity(scope, "JobSecurity", key=tables.key),
        buckets=buckets,
        lookup=tables.analytics,
        features=features,
        settings=settings,
    )
