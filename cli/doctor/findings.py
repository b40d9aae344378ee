"""What a check found: that all is well, what would fail and its remedy, or that it is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import boto3

from cli.assembly import Assembly
from cli.target import RETRIES

State = Literal["ok", "fault", "unknown"]


class Finding(NamedTuple):
    """One thing that a check says."""

    check: str
    state: State
    what: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return self._asdict()


def well(check: str, what: str) -> list[Finding]:
    """Say that all is well."""
    return [Finding(check, "ok", what)]


def fault(check: str, what: str, remedy: str) -> Finding:
    """Say what would fail, and how to mend it."""
    return Finding(check, "fault", what, remedy)


def unknown(check: str, what: str, remedy: str = "") -> Finding:
    """Say what could not be looked at."""
    return Finding(check, "unknown", what, remedy)


@dataclass(frozen=True)
class Account:
    """Where a deployment would go: the account and region of the credentials."""

    number: str
    region: str
    session: boto3.Session

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client; checks run side by side, so that none shares its client."""
        return self.session.client(service, region_name=region or self.region, config=RETRIES)


@dataclass(frozen=True)
class Plan:
    """What would be deployed, and where."""

    assembly: Assembly
    account: Account

    @property
    def environment(self) -> str:
        """Return the environment's name."""
        return str(self.assembly.config["environment"])

    def stack_name(self, block: str) -> str:
        """Return the name of a block's stack."""
        return f"{self.assembly.config['names']['stage_name']}-{block}"
