"""The subcommands of `fourblocks pipeline`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import git_remote, pipeline
from cli.command import on_target
from cli.target import Target

pipeline_app = typer.Typer(no_args_is_help=True, help="What a push does: see, retry, release it.")

Run = Annotated[
    str, typer.Argument(help="Beginning of a run's id or commit; without: the latest run.")
]
NamedRun = Annotated[str, typer.Argument(help="Beginning of a run's id or commit.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; CodePipeline keeps it.")]


@pipeline_app.command("status")
@on_target
def status_command(
    target: Target,
    run: Run = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Live, until the run ends or waits.")
    ] = False,
) -> None:
    """Show a run's stages and actions, and why one failed."""
    pipeline.show_pipeline(target, run, follow=follow)


@pipeline_app.command("logs")
@on_target
def logs_command(
    target: Target,
    action: Annotated[str, typer.Argument(help="An action of `pipeline status`, such as Test.")],
    run: Run = "",
) -> None:
    """Print the log of an action's build."""
    pipeline.show_build_log(target, action, run)


@pipeline_app.command("retry")
@on_target
def retry_command(target: Target, run: Run = "") -> None:
    """Run the failed actions of a run's failed stage again."""
    pipeline.retry(target, run)


@pipeline_app.command("approve")
@on_target
def approve_command(
    target: Target,
    run: NamedRun,
    reason: Reason,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse it instead.")] = False,
) -> None:
    """Release this very run into the stage before which it waits."""
    pipeline.decide(target, run, approved=not reject, reason=reason)


@pipeline_app.command("stop")
@on_target
def stop_command(
    target: Target,
    run: Run = "",
    reason: Reason = "stopped by hand",
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Do not wait for the actions under way.")
    ] = False,
) -> None:
    """Stop a run."""
    pipeline.stop(target, run, abandon=abandon, reason=reason)


@pipeline_app.command("receive", hidden=True)
@on_target
def receive_command(
    target: Target,
    repository: Annotated[str, typer.Argument(help="The bare repository.")],
    commit: Annotated[str, typer.Argument(help="What was pushed.")],
) -> None:
    """Hand a pushed commit to the pipeline; the hook of the remote `local` calls it."""
    git_remote.receive(target, repository, commit)
