"""Build pipeline: a push to the repository becomes a tested deployment of this environment.

CodePipeline takes the source, builds and synthesises it, runs the gate, pushes the model image by
its digest, and deploys the very assembly that was built. Builds hold no permission on the account
but to take the bootstrap's roles.
"""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.build_pipeline.pipeline import ReleasePipeline
from stacks.common.bucket import DataBucket
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.config.model import EnvironmentConfig


class BuildPipelineStack(EnvironmentStack):
    """From a push to a deployment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        artefacts: DataBucket,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        release = ReleasePipeline(
            self,
            "Release",
            environment=config.environment,
            artefacts=artefacts,
            key=key,
            settings=config.build,
            log_days=config.log_days,
        )
        publish(self, PipelineName=release.pipeline.pipeline_name)
