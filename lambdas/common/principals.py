"""Who somebody is, as far as credentials tell: the same person by any session is the same."""

from __future__ import annotations

_ASSUMED = ":assumed-role/"
_SINGLE_SIGN_ON = "AWSReservedSSO_"


def principal_of(arn: str) -> str:
    """Name the principal behind a caller's ARN.

    A session's name is chosen by whoever assumes the role, so it does not tell people apart;
    IAM Identity Center sets it itself, to the user's name.
    """
    if _ASSUMED not in arn:
        return arn
    head, _, tail = arn.partition(_ASSUMED)
    role, _, session = tail.partition("/")
    if role.startswith(_SINGLE_SIGN_ON):
        return f"{head}{_ASSUMED}{role}/{session}"
    return f"{head}{_ASSUMED}{role}"
