"""What a failed step of a workflow says of itself, in plain words."""

from __future__ import annotations

import json

_PLACES = ("errorMessage", "ErrorMessage", "FailureReason", "ExitMessage", "StatusMessage")
MAX_LENGTH = 2000


def plain_reason(error: str, cause: str) -> str:
    """Find the sentence in a cause, which Step Functions fills with the failed call's JSON."""
    return (_message(cause) or cause or error or "no reason given")[:MAX_LENGTH]


def _message(cause: str) -> str:
    try:
        document = json.loads(cause)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    return next((str(document[place]) for place in _PLACES if document.get(place)), "")
