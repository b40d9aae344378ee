"""What every command shares: its target's options, and an operator's errors in plain words."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)

from cli.errors import CredentialsError, NotThereError, OperatorError, RefusedError
from cli.screen import console
from cli.target import LOCAL, Address, open_target

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
