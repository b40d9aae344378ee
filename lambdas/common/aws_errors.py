"""What a failed AWS call says of itself."""

from __future__ import annotations

from collections.abc import Collection

from botocore.exceptions import ClientError

NOT_FOUND: Collection[str] = ("NoSuchKey", "404", "NotFound")


def error_code(error: ClientError) -> str:
    """Give the error's code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """Give the error's message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_lost_race(error: ClientError) -> bool:
    """Tell whether a conditional write, alone or in a transaction, met somebody else's write."""
    code = error_code(error)
    if code != "TransactionCanceledException":
        return code in _LOST
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    return bool(reasons & _LOST) and reasons <= {*_LOST, "None", None}


_LOST = {
    "ConditionalCheckFailed",
    "ConditionalCheckFailedException",
    "TransactionConflict",
    "TransactionConflictException",
}
