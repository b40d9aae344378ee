"""The deployment workflow in Step Functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from lambdas.common.digests import canonical_json
from lambdas.inference.request_rollback.logic import Started


class StepFunctionsWorkflow:
    """One state machine."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, document: Mapping[str, object]) -> Started:
        """Begin an execution with an input."""
        started = self._client.start_execution(
            stateMachineArn=self._state_machine_arn, input=canonical_json(document)
        )
        moment = started["startDate"].astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "execution_arn": started["executionArn"],
            "started_at": moment.replace("+00:00", "Z"),
        }
