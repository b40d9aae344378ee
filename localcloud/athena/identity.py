"""The credentials of a query's caller, with which Athena reads and writes on their behalf."""

from __future__ import annotations

import os

from ministack.services import iam, sts

from localcloud.registry import Caller, ServiceError


def environment_of(caller: Caller) -> dict[str, str]:
    """Return the AWS settings of a client that acts as the caller."""
    key = caller.access_key_id
    found = _session(key) or _user(key) or _root(key)
    if found is None:
        message = f"The access key {key} is not known"
        raise ServiceError("UnrecognizedClientException", message)
    secret, token = found
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        **{name: value for name in _SHARED if (value := os.environ.get(name))},
    }


_SHARED = ("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE")
Secret = tuple[str, str]


def _session(key: str) -> Secret | None:
    session = sts._sessions.get(key)  # noqa: SLF001  ministack has no public reader
    if not session or not session.get("SecretAccessKey"):
        return None
    return session["SecretAccessKey"], session.get("SessionToken", "")


def _user(key: str) -> Secret | None:
    owned = iam._access_keys.get(key)  # noqa: SLF001  ministack has no public reader
    return (owned["SecretAccessKey"], "") if owned else None


def _root(key: str) -> Secret | None:
    if key != os.environ["AWS_ACCESS_KEY_ID"]:
        return None
    return os.environ["AWS_SECRET_ACCESS_KEY"], ""
