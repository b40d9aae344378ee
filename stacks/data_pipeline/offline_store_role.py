"""The role that Feature Store writes the offline store with."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import FEATURES_PREFIX
from stacks.common.bucket import DataBucket
from stacks.common.findings import imported_text
from stacks.common.grants import grant_on


class OfflineStoreRole(iam.Role):
    """A role that SageMaker takes: it adds files under one prefix and reads nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, store: DataBucket) -> None:
        super().__init__(
            scope, construct_id, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
        )
        grant_on(self, "s3:GetBucketAcl", resources=[store.bucket_arn])
        imported = imported_text(Stack.of(store), store.bucket_arn)
        grant_on(
            self,
            "s3:PutObject",
            "s3:PutObjectAcl",
            resources=[store.arn_for_objects(f"{FEATURES_PREFIX}*")],
            wildcard_reason="Feature Store names the files that it writes under the prefix.",
            written_as=[f"{imported}/{FEATURES_PREFIX}*"],
        )
        store.key.grant(self, "kms:GenerateDataKey", "kms:Decrypt")
