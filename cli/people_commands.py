"""The subcommands about people: `users add`, `users remove`, `users list`, `sign-in`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import on_target
from cli.people import GROUPS, add_user, list_users, remove_user, sign_in
from cli.target import Target

users_app = typer.Typer(no_args_is_help=True, help="Who may use the API, and as what.")

Name = Annotated[str, typer.Argument(help="The user's name.")]


@users_app.command("add")
@on_target
def users_add_command(
    target: Target,
    name: Name,
    group: Annotated[list[str], typer.Option("--group", help=f"One of {', '.join(GROUPS)}.")],
) -> None:
    """Make a user, or put one into more groups."""
    add_user(target, name, group)


@users_app.command("remove")
@on_target
def users_remove_command(target: Target, name: Name) -> None:
    """Delete a user."""
    remove_user(target, name)


@users_app.command("list")
@on_target
def users_list_command(target: Target) -> None:
    """Show the users with their groups."""
    list_users(target)


@on_target
def sign_in_command(
    target: Target,
    name: Name,
    password: Annotated[
        str | None,
        typer.Option(envvar="FOURBLOCKS_PASSWORD", help="Without it, the command asks."),
    ] = None,
) -> None:
    """Print the variables by which a shell signs requests as a user, for an hour."""
    given = iter([password] if password else [])
    sign_in(target, name, lambda text: next(given, None) or typer.prompt(text, hide_input=True,
                                                                        err=True))  # fmt: skip
