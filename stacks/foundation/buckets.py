"""The buckets: each store of the architecture, build artefacts, and the access logs of all."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from pipeline_code.data_pipeline.contract import (
    BATCHES_PREFIX,
    QUERY_RESULTS_PREFIX,
    RUNS_PREFIX,
    STAGING_PREFIX,
)
from stacks.common.bucket import BucketProps, DataBucket
from stacks.common.findings import acknowledge
from stacks.config.model import FoundationSettings


class Buckets(Construct):
    """The environment's buckets, by the role they play."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
        settings: FoundationSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.logs = self._access_logs(removal_policy, Duration.days(settings.access_log_days))
        props = BucketProps(
            key=key,
            access_logs=self.logs,
            removal_policy=removal_policy,
            expire_noncurrent_after=Duration.days(settings.superseded_version_days),
        )
        scratch, reports = settings.scratch_days, settings.report_days
        self.raw_lake = DataBucket(
            self,
            "RawLake",
            props=props,
            emits_events=True,
            expire_after_days={BATCHES_PREFIX: reports},
        )
        self.model_input = DataBucket(
            self,
            "ModelInput",
            props=props,
            expire_after_days={STAGING_PREFIX: scratch, RUNS_PREFIX: reports},
        )
        self.analytics = DataBucket(
            self, "Analytics", props=props, expire_after_days={QUERY_RESULTS_PREFIX: scratch}
        )
        self.models = DataBucket(self, "Models", props=props)
        self.config = DataBucket(self, "Config", props=props, emits_events=True)
        self.artefacts = DataBucket(self, "Artefacts", props=props, emits_events=True)

    def _access_logs(self, removal_policy: RemovalPolicy, kept: Duration) -> s3.Bucket:
        """Make the bucket that S3 writes access logs to; log delivery knows no customer key."""
        logs = s3.Bucket(
            self,
            "Logs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=kept)],
            removal_policy=removal_policy,
        )
        acknowledge(
            logs,
            {"AwsSolutions-S1": "It receives access logs; logging its own access would never end."},
        )
        return logs
