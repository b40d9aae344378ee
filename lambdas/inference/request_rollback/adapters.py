"""The deployment workflow in Step Functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from lambdas.common.digests import canonical_json
from lambdas.inference.request_rollback.logic import Started

_NAMED_CHARACTERS = 60
"""Of the correlation id; an execution's name has at most 80."""


class StepFunctionsWorkflow:
    """One state machine."""

    def __init__(self, client: Any, state_machine_arn: str, new_token: Callable[[], str]) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn
        self._new_token = new_token

    def start(self, document: Mapping[str, object], correlation_id: str) -> Started:
        """Begin an execution with an input, under a name that begins with the correlation id.

        The functions of a workflow log their execution, so each of their lines carries the id.
        """
        name = f"{correlation_id.replace(':', '-')[:_NAMED_CHARACTERS]}-{self._new_token()}"
        started = self._client.start_execution(
            stateMachineArn=self._state_machine_arn, name=name, input=canonical_json(document)
        )
        moment = started["startDate"].astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "execution_arn": started["executionArn"],
            "started_at": moment.replace("+00:00", "Z"),
        }
