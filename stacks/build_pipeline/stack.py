"""Build pipeline: a push becomes a tested release of one environment after another.

CodePipeline takes the source, synthesises it and finds out what the push changed; it updates itself
where its own definition changed; it runs the gate and the suites, makes one image, and releases the
very same files and digests to each environment: deploy, train where that changed, prove by the API.
Builds hold no permission on an account but to take the bootstrap's roles and the environments' own.
"""

from __future__ import annotations

from constructs import Construct

from stacks.build_pipeline.pipeline import ReleasePipeline
from stacks.build_pipeline.stores import PipelineStores
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.config.model import BuildSettings, EnvironmentConfig


class BuildPipelineStack(EnvironmentStack):
    """From a push to releases."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        settings: BuildSettings,
        stores: PipelineStores,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        release = ReleasePipeline(self, "Release", config=config, settings=settings, stores=stores)
        source = settings.source
        publish(
            self,
            PipelineName=release.pipeline.pipeline_name,
            SourceKind=source.kind,
            SourceKey=getattr(source, "key", "-"),
        )
