"""Workflows that wait, in Step Functions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code
from lambdas.common.digests import canonical_json
from lambdas.training_pipeline.contract import ApprovalDecision

_GONE = ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken")


class StepFunctionsWorkflows:
    """Executions that wait for a task's token."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def tell(self, token: str, decision: ApprovalDecision) -> bool:
        """Hand a decision to whoever waits for this token; tell whether somebody did."""
        try:
            self._client.send_task_success(taskToken=token, output=canonical_json(decision))
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return False
        return True
