"""`fourblocks users` and `sign-in`: who may use the API, and credentials for whoever signs in."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from rich.table import Table

from cli.errors import CredentialsError, NotThereError, RefusedError
from cli.screen import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.target import Target

GROUPS = ("viewer", "operator", "approver")
NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - the name of Cognito's challenge
KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.!+")
PASSWORD_LENGTH = 20
REFUSED = ("NotAuthorizedException", "UserNotFoundException", "InvalidPasswordException")


def pool(target: Target) -> str:
    """Return the environment's user pool."""
    return target.output("Foundation", "UserPoolId")


def add_user(target: Target, name: str, groups: list[str]) -> None:
    """Make a user, or put an existing one into groups; print a new one's temporary password.

    Raises:
        RefusedError: there is no such group.

    """
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        message = f"There is no group {unknown[0]}. Choose from: {', '.join(GROUPS)}."
        raise RefusedError(message)
    cognito = target.client("cognito-idp")
    password = temporary_password()
    try:
        cognito.admin_create_user(
            UserPoolId=pool(target),
            Username=name,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
        )
    except cognito.exceptions.UsernameExistsException:
        console.print(f"{name} is there already", markup=False)
    else:
        console.print(f"temporary password of {name}: {password}", markup=False, highlight=False)
        console.print(f"{name} signs in with: {target.command(f'sign-in {name}')}", markup=False)
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=pool(target), Username=name, GroupName=group)
        console.print(f"{name} is {group}", markup=False)


def temporary_password() -> str:
    """Draw a password that holds each kind of character."""
    drawn = [secrets.choice(kind) for kind in KINDS]
    drawn += [secrets.choice("".join(KINDS)) for _ in range(PASSWORD_LENGTH - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def remove_user(target: Target, name: str) -> None:
    """Delete a user; credentials that were given last for an hour at most.

    Raises:
        NotThereError: there is no such user.

    """
    cognito = target.client("cognito-idp")
    try:
        cognito.admin_delete_user(UserPoolId=pool(target), Username=name)
    except cognito.exceptions.UserNotFoundException as error:
        message = f"There is no user {name}. List them: {target.command('users list')}"
        raise NotThereError(message) from error
    console.print(f"{name} is removed", markup=False)


def list_users(target: Target) -> None:
    """Print the users with their groups."""
    cognito = target.client("cognito-idp")
    members: dict[str, list[str]] = {}
    for group in GROUPS:
        pages = cognito.get_paginator("list_users_in_group").paginate(
            UserPoolId=pool(target), GroupName=group
        )
        for page in pages:
            for user in page["Users"]:
                members.setdefault(user["Username"], []).append(group)
    table = Table("user", "groups", "state", box=None)
    for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool(target)):
        for user in page["Users"]:
            name = user["Username"]
            table.add_row(name, ", ".join(members.get(name, [])), user["UserStatus"])
    console.print(table)


def sign_in(target: Target, name: str, ask: Callable[[str], str]) -> None:
    """Print what a shell needs to sign requests as a user; `ask` asks for passwords.

    Raises:
        CredentialsError: the user pool does not accept the password, or the user is in no group.

    """
    try:
        token = id_token(target, name, ask)
        given = credentials(target, token)
    except ClientError as error:
        if error.response["Error"]["Code"] not in REFUSED:
            raise
        raise CredentialsError(error.response["Error"]["Message"]) from error
    for variable, key in (
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ):
        console.print(f"export {variable}='{given[key]}'", markup=False, highlight=False,
                      soft_wrap=True)  # fmt: skip


def id_token(target: Target, name: str, ask: Callable[[str], str]) -> str:
    """Sign in to the user pool; who comes for the first time chooses a password."""
    cognito = anonymous(target, "cognito-idp")
    client = target.output("Foundation", "UserPoolClientId")
    answer = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": ask(f"password of {name}")},
    )
    if answer.get("ChallengeName") == NEW_PASSWORD:
        answer = cognito.respond_to_auth_challenge(
            ClientId=client,
            ChallengeName=NEW_PASSWORD,
            Session=answer["Session"],
            ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": ask("new password")},
        )
    return str(answer["AuthenticationResult"]["IdToken"])


def credentials(target: Target, token: str) -> dict[str, Any]:
    """Exchange a token for credentials of the role of the user's group."""
    identities = anonymous(target, "cognito-identity")
    logins = {f"cognito-idp.{target.region}.amazonaws.com/{pool(target)}": token}
    identity = identities.get_id(
        IdentityPoolId=target.output("Foundation", "IdentityPoolId"), Logins=logins
    )["IdentityId"]
    answer = identities.get_credentials_for_identity(IdentityId=identity, Logins=logins)
    return dict(answer["Credentials"])


def anonymous(target: Target, service: str) -> Any:
    """Return a client as somebody without credentials has it."""
    return target.session.client(
        service, region_name=target.region, config=Config(signature_version=UNSIGNED)
    )
