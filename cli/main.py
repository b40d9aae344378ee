"""The command `fourblocks`: its subcommands, their options and their exit codes.

Exit codes: 0 done; 1 the platform said no; 2 wrong usage; 3 not running, deployed or published yet;
4 credentials; 5 the machine (disk, port, missing tool).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)

from cli import embedded
from cli.demo import run_demo
from cli.deployment import deploy
from cli.errors import CredentialsError, NotThereError, OperatorError, RefusedError
from cli.ingestion import ingest
from cli.job_logs import show_log, show_overview
from cli.overview import show_api, show_status
from cli.prediction import predict
from cli.screen import console
from cli.target import LOCAL, Address, Target, open_target
from cli.training import train

app = typer.Typer(
    name="fourblocks",
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, as shells have it."""

BAD_CREDENTIALS = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}

Environment = Annotated[
    str,
    typer.Option(
        "--environment", "-e", envvar="FOURBLOCKS_ENVIRONMENT", help="Environment to speak to."
    ),
]
Profile = Annotated[
    str | None, typer.Option("--profile", help="AWS profile; the embedded AWS needs none.")
]
Region = Annotated[str | None, typer.Option("--region", help="AWS region; else the profile's.")]


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Tell an operator's error in plain words and end with its exit code."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except (OperatorError, ClientError, BotoCoreError) as error:
            known = as_operator_error(error)
            console.print(f"error: {known}", style="red", markup=False)
            raise typer.Exit(int(known.exit_code)) from error
        except KeyboardInterrupt as error:
            console.print("interrupted; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from error

    return wrapped


def on_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose its target, and the opened target as argument."""

    @functools.wraps(command)
    def wrapped(
        *, environment: str, profile: str | None, region: str | None, **options: Any
    ) -> None:
        target = open_target(Address(environment, profile, region))
        command(target=target, **options)

    own = [
        parameter
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items()
        if name != "target"
    ]
    added = [
        ("environment", Environment, LOCAL),
        ("profile", Profile, None),
        ("region", Region, None),
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(name, keyword, annotation=kind, default=default)
        for name, kind, default in added
    ]
    keywords = [parameter.replace(kind=keyword) for parameter in own]
    wrapped.__signature__ = inspect.Signature([*keywords, *options])  # type: ignore[attr-defined]
    return reported(wrapped)


def as_operator_error(error: Exception) -> OperatorError:
    """Say what a botocore error means to an operator."""
    if isinstance(error, OperatorError):
        return error
    if isinstance(error, EndpointConnectionError):
        return NotThereError(f"Nothing answers: {error}. For the embedded AWS: fourblocks up")
    if isinstance(error, NoCredentialsError):
        return CredentialsError("No AWS credentials found. Choose a profile with --profile.")
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in BAD_CREDENTIALS:
        return CredentialsError(f"AWS refused the credentials: {error}")
    return RefusedError(str(error))


@app.command("up")
@reported
def up_command() -> None:
    """Start the embedded AWS on this machine."""
    embedded.up()


@app.command("down")
@reported
def down_command() -> None:
    """Stop the embedded AWS and everything that runs in it."""
    embedded.down()


@app.command("deploy")
@on_target
def deploy_command(target: Target) -> None:
    """Deploy every stack of an environment with the CDK CLI, bootstrapping when needed."""
    deploy(target)


@app.command("ingest")
@on_target
def ingest_command(
    target: Target,
    folder: Annotated[Path, typer.Argument(help="Folder that holds <source>/<file>.")],
) -> None:
    """Upload source files that changed and follow the data pipeline to its end."""
    ingest(target, folder)


@app.command("train")
@on_target
def train_command(
    target: Target,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")] = "asked for by hand",
) -> None:
    """Follow the running training, or start one, to its verdict and deployment."""
    train(target, reason=reason)


@app.command("status")
@on_target
def status_command(target: Target) -> None:
    """Show stacks, executions, the latest dataset, the serving model and its endpoint."""
    show_status(target)


@app.command("predict")
@on_target
def predict_command(
    target: Target,
    file: Annotated[
        Path | None, typer.Argument(help="JSON request, or one instance a line; - reads stdin.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, max=500, help="Ask about N held-out entities instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
) -> None:
    """Ask the deployed model over HTTP and show each member's share of the answer."""
    predict(target, file=file, sample=sample, as_json=as_json)


@app.command("open")
@on_target
def open_command(target: Target) -> None:
    """Show the API's address and a curl call that works."""
    show_api(target)


@app.command("logs")
@on_target
def logs_command(
    target: Target,
    name: Annotated[
        str | None, typer.Argument(help="A job, a log stream or a log group; without: list.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more lines.")] = False,
) -> None:
    """Show what jobs and functions wrote."""
    if name is None:
        show_overview(target)
    else:
        show_log(target, name, follow=follow)


@app.command("demo")
@reported
def demo_command() -> None:
    """Run the whole lifecycle on the embedded AWS: deploy, ingest, train, deploy, predict."""
    run_demo()


if __name__ == "__main__":
    app()
