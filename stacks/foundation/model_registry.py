"""What vouches for models: the key that signs them."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class ModelRegistry(Construct):
    """The signing key of one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.signing_key = kms.Key(
            self,
            "SigningKey",
            description="Fourblocks: signs the models of one environment",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=removal_policy,
        )

    def grant_sign(self, role: iam.Role) -> None:
        """Allow to sign models."""
        self.signing_key.grant(role, "kms:Sign")

    def grant_verify(self, role: iam.Role) -> None:
        """Allow to check signatures, and nothing else with the key."""
        self.signing_key.grant(role, "kms:Verify")
