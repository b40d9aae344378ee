"""Where the code comes from: a connection, CodeCommit, or a zip in the artefact bucket."""

from __future__ import annotations

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.config.model import ArchiveSource, CodeCommitSource, CodeConnectionsSource, Source

_ACTION = "Source"


def source_action(
    scope: Construct, *, source: Source, artefacts: s3.IBucket, output: codepipeline.Artifact
) -> actions.Action:
    """Make the source stage's action for the kind of source that the config names."""
    match source:
        case CodeConnectionsSource():
            return actions.CodeStarConnectionsSourceAction(
                action_name=_ACTION,
                connection_arn=source.connection_arn,
                owner=source.owner,
                repo=source.repository,
                branch=source.branch,
                # A filter of paths is a trigger of its own, see `push_triggers`.
                trigger_on_push=not (source.paths or source.ignored_paths),
                output=output,
            )
        case CodeCommitSource():
            return actions.CodeCommitSourceAction(
                action_name=_ACTION,
                repository=codecommit.Repository.from_repository_name(
                    scope, "Repository", source.repository
                ),
                branch=source.branch,
                output=output,
            )
        case ArchiveSource():
            return actions.S3SourceAction(
                action_name=_ACTION,
                bucket=artefacts,
                bucket_key=source.key,
                # The rule in archive_trigger.py starts the pipeline; polling would only add delay.
                trigger=actions.S3Trigger.NONE,
                output=output,
            )


def push_triggers(source: Source, action: actions.Action) -> list[codepipeline.TriggerProps]:
    """Limit a connection's pushes to the paths that the config names."""
    if not isinstance(source, CodeConnectionsSource) or not (source.paths or source.ignored_paths):
        return []
    push = codepipeline.GitPushFilter(
        branches_includes=[source.branch],
        file_paths_includes=list(source.paths) or None,
        file_paths_excludes=list(source.ignored_paths) or None,
    )
    return [
        codepipeline.TriggerProps(
            provider_type=codepipeline.ProviderType.CODE_STAR_SOURCE_CONNECTION,
            git_configuration=codepipeline.GitConfiguration(
                source_action=action, push_filter=[push]
            ),
        )
    ]
