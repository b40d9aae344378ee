"""The project that builds, lists, scans and signs the image, and what it may do."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.build_pipeline.contract import IMAGES_PREFIX, Variable
from stacks.build_pipeline.build_project import BuildProject, BuildProps
from stacks.common.bucket import DataBucket
from stacks.common.findings import acknowledge
from stacks.foundation.image_repository import ImageRepository
from stacks.foundation.model_registry import ModelRegistry


class ImageProject(BuildProject):
    """Makes one image of a commit, and the templates of all environments with its digest."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: BuildProps,
        environments: list[str],
        artefacts: DataBucket,
        images: ImageRepository,
        registry: ModelRegistry,
        scan: bool,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            props=props,
            specification="image.yml",
            variables={
                Variable.ENVIRONMENTS: " ".join(environments),
                Variable.ARTEFACT_BUCKET: artefacts.bucket_name,
                Variable.REPOSITORY_URI: images.repository_uri,
                Variable.SIGNING_KEY: registry.signing_key.key_arn,
                Variable.SCAN_IMAGE: str(scan).lower(),
            },
            privileged=True,
        )
        self._allow_push(images)
        artefacts.allow_write(self.role, IMAGES_PREFIX)
        registry.grant_sign(self.role)

    def _allow_push(self, images: ImageRepository) -> None:
        images.grant_pull_push(self.role)
        images.grant(self.role, "ecr:DescribeImages", "ecr:DescribeImageScanFindings")
        iam.Grant.add_to_principal(
            grantee=self.role, actions=["ecr:GetAuthorizationToken"], resource_arns=["*"]
        )
        acknowledge(
            self,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "The login of a registry, ecr:GetAuthorizationToken, knows no resources."
                )
            },
        )
