"""AWS's own training images in the region of the deployment."""

from __future__ import annotations

from aws_cdk import Aws, CfnMapping, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.grants import grant_on
from stacks.config.algorithm_images import REGISTRIES, REPOSITORIES


class AlgorithmImages(Construct):
    """The image of each built-in algorithm and framework; the region chooses at deployment."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._accounts = CfnMapping(
            self,
            "Accounts",
            mapping={region: dict(found._asdict()) for region, found in REGISTRIES.items()},
        )

    def uris(self) -> str:
        """Give a JSON object of all images by the name of their algorithm."""
        return Stack.of(self).to_json_string({name: self._uri(name) for name in REPOSITORIES})

    def grant_pull(self, role: iam.Role) -> None:
        """Let SageMaker pull the images as a role."""
        arns = [
            f"arn:{Aws.PARTITION}:ecr:{Aws.REGION}:{self._account(name)}:repository/{found.name}"
            for name, found in REPOSITORIES.items()
        ]
        grant_on(
            role,
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
            resources=arns,
        )

    def _uri(self, algorithm: str) -> str:
        repository = REPOSITORIES[algorithm]
        registry = f"{self._account(algorithm)}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}"
        return f"{registry}/{repository.name}:{repository.tag}"

    def _account(self, algorithm: str) -> str:
        return self._accounts.find_in_map(Aws.REGION, REPOSITORIES[algorithm].owner)
