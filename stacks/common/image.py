"""The image that trains, evaluates and serves: the one that was built, or one yet to be built."""

from __future__ import annotations

from aws_cdk import ArnFormat, DefaultStackSynthesizer, IgnoreMode, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.assets import REPOSITORY, image_admissions
from stacks.common.findings import acknowledge


class ModelImage(Construct):
    """The image of `pipeline_code/Dockerfile`.

    With ``digest_uri`` it is what the build pipeline made, by its digest; without, the CDK CLI
    builds and pushes it, under the digest of what it is built from.
    """

    def __init__(self, scope: Construct, construct_id: str, *, digest_uri: str | None) -> None:
        super().__init__(scope, construct_id)
        # Models that were registered under either kind of image must be served on.
        self._repositories = [self._assets()]
        if digest_uri is None:
            self.uri = self._asset().image_uri
            return
        self.uri = digest_uri
        self._repositories.append(self._repository_of(digest_uri))

    def grant_pull(self, role: iam.IRole) -> None:
        """Let SageMaker pull the image as a role."""
        for repository in self._repositories:
            repository.grant_pull(role)
        acknowledge(
            role,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "The login of a registry, ecr:GetAuthorizationToken, knows no resources."
                )
            },
        )

    def _asset(self) -> ecr_assets.DockerImageAsset:
        return ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(REPOSITORY),
            file="pipeline_code/Dockerfile",
            platform=ecr_assets.Platform.LINUX_AMD64,
            exclude=image_admissions(),
            ignore_mode=IgnoreMode.GIT,
        )

    def _assets(self) -> ecr.IRepository:
        stack = Stack.of(self)
        qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
        name = f"cdk-{qualifier}-container-assets-{stack.account}-{stack.region}"
        return ecr.Repository.from_repository_name(self, "Assets", name)

    def _repository_of(self, uri: str) -> ecr.IRepository:
        registry, _, rest = uri.partition("/")
        account, _, _, region, *_ = registry.split(".")
        name = rest.partition("@")[0]
        arn = Stack.of(self).format_arn(
            service="ecr",
            account=account,
            region=region,
            resource="repository",
            resource_name=name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        return ecr.Repository.from_repository_attributes(
            self, "Repository", repository_arn=arn, repository_name=name
        )
