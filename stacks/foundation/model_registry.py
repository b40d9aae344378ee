"""What vouches for models: the key that signs them, and the group that shows them to Studio."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.grants import grant_on


class ModelRegistry(Construct):
    """The signing key and the SageMaker Model Package Group of one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group_name: str,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.group_name = group_name
        self.signing_key = kms.Key(
            self,
            "SigningKey",
            description="Fourblocks: signs the models of one environment",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=removal_policy,
        )
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Packages",
            model_package_group_name=group_name,
            model_package_group_description="Every model version, mirrored for Studio and the SDK",
        )
        group.apply_removal_policy(removal_policy)

    def grant_sign(self, role: iam.Role) -> None:
        """Allow to sign models."""
        self.signing_key.grant(role, "kms:Sign")

    def grant_verify(self, role: iam.Role) -> None:
        """Allow to check signatures, and nothing else with the key."""
        self.signing_key.grant(role, "kms:Verify")

    def grant_mirror(self, role: iam.Role, *, create: bool) -> None:
        """Allow to change the packages of the group, and perhaps to add to it."""
        stack = Stack.of(role)
        group = stack.format_arn(
            service="sagemaker", resource="model-package-group", resource_name=self.group_name
        )
        packages = stack.format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{self.group_name}/*"
        )
        actions = ["sagemaker:UpdateModelPackage"]
        if create:
            actions.append("sagemaker:CreateModelPackage")
        grant_on(
            role,
            *actions,
            resources=[*([group] if create else []), packages],
            wildcard_reason="SageMaker numbers the packages of the group when they are made.",
        )
