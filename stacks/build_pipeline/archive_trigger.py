"""The rule that starts the pipeline when a new zip of the repository arrives."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.config.model import ArchiveSource


class ArchiveTrigger(Construct):
    """Every new version of the zip is one run."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artefacts: s3.IBucket,
        source: ArchiveSource,
        pipeline: codepipeline.IPipeline,
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description="A new version of the repository's zip",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [artefacts.bucket_name]},
                    "object": {"key": [source.key]},
                },
            ),
            targets=[targets.CodePipeline(pipeline)],
        )
