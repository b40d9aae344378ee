"""The one way to make a bucket: private, encrypted, TLS only, logged, and with an explicit end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.common.findings import imported_text
from stacks.common.grants import grant_on


@dataclass(frozen=True, kw_only=True)
class BucketProps:
    """What all buckets of an environment share."""

    key: kms.IKey
    access_logs: s3.IBucket
    removal_policy: RemovalPolicy
    expire_noncurrent_after: Duration = field(default_factory=lambda: Duration.days(90))


class DataBucket(s3.Bucket):
    """A versioned bucket under the environment's key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: BucketProps,
        emits_events: bool = False,
        expire_after_days: Mapping[str, int] | None = None,
    ) -> None:
        """Make the bucket; ``expire_after_days`` are prefixes of what is not to be kept."""
        super().__init__(
            scope,
            construct_id,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=props.key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=props.access_logs,
            server_access_logs_prefix=f"{construct_id}/",
            removal_policy=props.removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=props.expire_noncurrent_after,
                ),
                *_expiries(expire_after_days or {}),
            ],
        )
        self.key = props.key
        if emits_events:
            _emit_events(self)

    def allow_read(self, role: iam.Role, prefix: str) -> None:
        """Let a role read what lies under a prefix.

        Without the right to list, S3 says of an object that is not there that it is forbidden.
        """
        self._allow_objects(role, prefix, "s3:GetObject")
        grant_on(role, "s3:ListBucket", resources=[self.bucket_arn])
        self.key.grant(role, "kms:Decrypt")

    def allow_read_versions(self, role: iam.Role, prefix: str) -> None:
        """Let a role read the versions that it names of what lies under a prefix."""
        self._allow_objects(role, prefix, "s3:GetObjectVersion")
        self.key.grant(role, "kms:Decrypt")

    def allow_list_versions(self, role: iam.Role) -> None:
        """Let a role list which versions of objects there are."""
        grant_on(role, "s3:ListBucketVersions", resources=[self.bucket_arn])

    def allow_write(self, role: iam.Role, prefix: str) -> None:
        """Let a role add objects under a prefix; a version that is there stays."""
        self._allow_objects(role, prefix, "s3:PutObject", "s3:AbortMultipartUpload")
        self.key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")

    def allow_delete(self, role: iam.Role, prefix: str) -> None:
        """Let a role remove what it left under a prefix."""
        self._allow_objects(role, prefix, "s3:DeleteObject")

    def _allow_objects(self, role: iam.Role, prefix: str, *actions: str) -> None:
        imported = imported_text(Stack.of(self), self.bucket_arn)
        grant_on(
            role,
            *actions,
            resources=[self.arn_for_objects(f"{prefix}*")],
            wildcard_reason=f"What lies under {prefix} is named by what a run finds or makes.",
            written_as=[f"{imported}/{prefix}*"],
        )


def _expiries(days_of: Mapping[str, int]) -> Iterator[s3.LifecycleRule]:
    for prefix, days in days_of.items():
        yield s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))


def _emit_events(bucket: s3.Bucket) -> None:
    """Send the bucket's events to EventBridge by its own property, not by a custom resource."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        message = f"{bucket.node.path} has no AWS::S3::Bucket of its own"
        raise TypeError(message)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
            event_bridge_enabled=True
        )
    )
