"""Decides whether a way back may be taken; the workflow takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

from lambdas.common.api import ApiRequest, ApiResponse
from lambdas.common.model_records import ModelRecord, ServingRecord
from lambdas.common.model_states import DEPLOYABLE
from lambdas.common.refusals import RefusedError

PREVIOUS = "previous"


class RollbackWish(TypedDict):
    """Body of ``POST /rollbacks``."""

    to: Literal["previous"] | int
    reason: str


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def serving(self) -> ServingRecord | None:
        """Read what serves."""


class Started(TypedDict):
    """An execution that has begun."""

    execution_arn: str
    started_at: str


class Workflow(Protocol):
    """The deployment workflow."""

    def start(self, document: Mapping[str, object], correlation_id: str) -> Started:
        """Begin an execution with an input; its name tells the correlation id."""


@dataclass(frozen=True)
class Rollbacks:
    """Looks at what serves, and asks the workflow to go back."""

    models: Models
    workflow: Workflow

    def request(self, request: ApiRequest, wish: RollbackWish) -> ApiResponse:
        """Begin to go back; refuses what the workflow could only fail at."""
        self._check(wish["to"])
        started = self.workflow.start(
            {
                "kind": "rollback",
                "version": wish["to"],
                "reason": wish["reason"].strip(),
                "requested_by": request.caller,
                "correlation_id": request.correlation_id,
            },
            request.correlation_id,
        )
        return ApiResponse(202, {"to": wish["to"], **started}, {})

    def _check(self, to: Literal["previous"] | int) -> None:
        serving = self.models.serving()
        if serving is None:
            raise _impossible("Nothing serves yet.")
        wanted = serving.get("replaced_version") if to == PREVIOUS else to
        if wanted is None:
            raise _impossible(f"Version {serving['version']} replaced nothing; name a version.")
        record = self.models.version(int(wanted))
        if record is None:
            raise RefusedError(404, "unknown-version", f"There is no version {wanted}.")
        if record["version"] == serving["version"]:
            raise _impossible(f"Version {wanted} is what serves.")
        if record["state"] not in DEPLOYABLE:
            allowed = " or ".join(DEPLOYABLE)
            raise _impossible(f"Version {wanted} is {record['state']}; it must be {allowed}.")


def _impossible(detail: str) -> RefusedError:
    return RefusedError(409, "no-way-back", detail)
