"""Event times: what a record says of when it was true, as a number that orders records."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from localcloud.sagemaker.errors import invalid

_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_LATEST = Decimal(253402300799)  # the last second of the year 9999
_MICROSECONDS = 1_000_000
_FORMS = "yyyy-MM-dd'T'HH:mm:ssZ or yyyy-MM-dd'T'HH:mm:ss.SSSZ"


@lru_cache(maxsize=4096)
def microseconds(value: str, feature_type: str) -> int:
    """Read an event time of the given feature type: microseconds since 1970."""
    return _seconds(value) if feature_type == "Fractional" else _iso(value)


def moment(event_time: int) -> datetime.datetime:
    """Return an event time as a datetime."""
    epoch = datetime.datetime.fromtimestamp(0, datetime.UTC)
    return epoch + datetime.timedelta(microseconds=event_time)


def spelled(event_time: int) -> str:
    """Spell a time in ISO 8601, to the second."""
    return f"{moment(event_time):%Y-%m-%dT%H:%M:%SZ}"


def _iso(value: str) -> int:
    if not _TEXT.fullmatch(value):
        raise invalid(f"EventTime '{value}' must be an ISO-8601 string of the form {_FORMS}.")
    try:
        time = datetime.datetime.fromisoformat(f"{value[:-1]}+00:00")
    except ValueError as error:
        raise invalid(f"EventTime '{value}' is no time: {error}.") from error
    since = time - datetime.datetime.fromtimestamp(0, datetime.UTC)
    return since // datetime.timedelta(microseconds=1)


def _seconds(value: str) -> int:
    try:
        seconds = Decimal(value)
    except InvalidOperation:
        seconds = Decimal(-1)
    if not (seconds.is_finite() and 0 <= seconds <= _LATEST):
        raise invalid(f"EventTime '{value}' must be a Unix timestamp in seconds.")
    return int(seconds * _MICROSECONDS)
