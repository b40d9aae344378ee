"""The five stacks, wired: read this file first.

The foundation owns what must survive. The data pipeline turns raw sources into dataset versions,
the training pipeline turns those into registered models, inference makes a model an endpoint and
an API, and the build pipeline turns a push into a deployment of all of it. Blocks meet only here,
by the objects they are handed; everything else passes through the foundation's stores and the
event bus.
"""

from __future__ import annotations

from constructs import Construct

from stacks.build_pipeline.github_access import GitHubAccessStack
from stacks.build_pipeline.stack import BuildPipelineStack
from stacks.build_pipeline.stores import PipelineStores
from stacks.config.model import EnvironmentConfig
from stacks.data_pipeline.stack import DataPipelineStack
from stacks.foundation.stack import FoundationStack
from stacks.inference.stack import InferenceStack
from stacks.training_pipeline.stack import TrainingPipelineStack


class FourblocksStage(Construct):
    """One environment.

    A plain construct and no `cdk.Stage`: `cdk deploy --all` takes the stacks of the app's own
    assembly and none of a nested one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, construct_id)
        foundation = FoundationStack(self, "Foundation", config=config)
        buckets, tables = foundation.buckets, foundation.tables
        DataPipelineStack(self, "DataPipeline", config=config, buckets=buckets, tables=tables)
        inference = InferenceStack(
            self,
            "Inference",
            config=config,
            buckets=buckets,
            tables=tables,
            registry=foundation.registry,
            people=foundation.people,
            prediction_queue=foundation.prediction_queue,
        )
        TrainingPipelineStack(
            self,
            "TrainingPipeline",
            config=config,
            buckets=buckets,
            tables=tables,
            registry=foundation.registry,
            deployment=inference.deployment,
            people=foundation.people,
        )
        # An environment without a pipeline of its own is released by another one's.
        if config.build is not None and foundation.images is not None:
            stores = PipelineStores(
                artefacts=buckets.artefacts,
                images=foundation.images,
                registry=foundation.registry,
            )
            BuildPipelineStack(
                self, "BuildPipeline", config=config, settings=config.build, stores=stores
            )
        if config.github is not None:
            GitHubAccessStack(self, "GitHubAccess", config=config, settings=config.github)
