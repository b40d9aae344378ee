"""An endpoint as the deciding functions see it."""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """An endpoint as it is now."""

    status: str
    config_name: str
    failure: str = ""
