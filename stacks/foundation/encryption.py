"""The environment's key: every bucket, table, log of a job and artefact is encrypted with it."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EnvironmentKey(kms.Key):
    """A key that rotates each year and that the account's IAM policies govern."""

    def __init__(
        self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Fourblocks: data, models and logs of one environment",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self._let_log_groups_encrypt()

    def _let_log_groups_encrypt(self) -> None:
        """Glue writes its job logs under this key, which CloudWatch Logs does as itself."""
        stack = Stack.of(self)
        logs = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:*"
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            )
        )
