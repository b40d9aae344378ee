"""The image that trains, evaluates and serves, named by the digest of what it is built from."""

from __future__ import annotations

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.assets import REPOSITORY, image_admissions
from stacks.common.findings import acknowledge


class ModelImage(Construct):
    """The image of `pipeline_code/Dockerfile`, built and pushed by the CDK CLI."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._asset = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(REPOSITORY),
            file="pipeline_code/Dockerfile",
            platform=ecr_assets.Platform.LINUX_AMD64,
            exclude=image_admissions(),
            ignore_mode=IgnoreMode.GIT,
        )
        self.uri = self._asset.image_uri

    def grant_pull(self, role: iam.IRole) -> None:
        """Let SageMaker pull the image as a role."""
        self._asset.repository.grant_pull(role)
        acknowledge(
            role,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "The login of a registry, ecr:GetAuthorizationToken, knows no resources."
                )
            },
        )
