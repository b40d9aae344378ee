"""What a Glue job's logs, bookmarks and results are encrypted with."""

from __future__ import annotations

from aws_cdk import ArnFormat, Names, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.common.grants import grant_on


class JobSecurity(Construct):
    """A Glue security configuration under the environment's key."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        encryption = glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
            cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
            ),
            job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key.key_arn
            ),
            s3_encryptions=[
                glue.CfnSecurityConfiguration.S3EncryptionProperty(
                    s3_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
                )
            ],
        )
        # CloudFormation demands a name; one derived from the construct's place cannot collide.
        configuration = glue.CfnSecurityConfiguration(
            self,
            "Configuration",
            name=Names.unique_resource_name(self, max_length=200),
            encryption_configuration=encryption,
        )
        self.name = configuration.ref

    def grant_to(self, role: iam.Role) -> None:
        """Let a job write its encrypted logs and its metrics."""
        log_groups = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws-glue/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        grant_on(
            role,
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "logs:AssociateKmsKey",
            resources=[log_groups],
            wildcard_reason="Glue makes the log groups of all its jobs under this prefix.",
        )
        grant_on(
            role,
            "cloudwatch:PutMetricData",
            resources=["*"],
            wildcard_reason="cloudwatch:PutMetricData knows no resources; the namespace limits it.",
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        )
        self._key.grant(role, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
