"""The image that the Spark job runs in on EMR Serverless."""

from __future__ import annotations

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from stacks.common.assets import REPOSITORY

ADMISSIONS = (
    "/*",
    "!/constraints.txt",
    "!/requirements/",
    "/requirements/*",
    "!/requirements/spark.txt",
    "!/pipeline_code/",
    "/pipeline_code/*",
    "!/pipeline_code/data_pipeline/",
    "/pipeline_code/data_pipeline/*",
    "!/pipeline_code/data_pipeline/Dockerfile",
)
"""Git-style patterns that leave what the Dockerfile copies, and itself."""

PYTHON = "/opt/venv/bin/python"
"""Where the Dockerfile puts the job's Python."""


class EmrImage(Construct):
    """`pipeline_code/data_pipeline/Dockerfile`, built and pushed by the CDK CLI.

    EMR Serverless pulls it as itself, which the policy of the CDK's repository allows.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        asset = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(REPOSITORY),
            file="pipeline_code/data_pipeline/Dockerfile",
            platform=ecr_assets.Platform.LINUX_AMD64,
            exclude=list(ADMISSIONS),
            ignore_mode=IgnoreMode.GIT,
        )
        self.uri = asset.image_uri
