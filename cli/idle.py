"""`fourblocks sleep` and `fourblocks wake`: stop the endpoint, and bring it back as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.errors import NotThereError, RefusedError
from cli.overview import serving_model
from cli.screen import console
from cli.training import follow

if TYPE_CHECKING:
    from cli.target import Target


def sleep(target: Target, *, reason: str) -> None:
    """Stop the endpoint, whether it is asked or not; the ledger keeps why.

    Raises:
        RefusedError: there is no endpoint that could be stopped.

    """
    request = {"when": "now", "requested_by": _caller(target), "reason": reason}
    answer = target.client("lambda").invoke(
        FunctionName=target.output("Inference", "IdleStopFunctionName"),
        Payload=json.dumps(request).encode(),
    )
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or not said["stopped"]:
        message = f"The endpoint was not stopped: {said.get('errorMessage') or said['why']}."
        raise RefusedError(message)
    console.print(f"The endpoint stops. To bring it back: {target.command('wake')}")


def wake(target: Target, *, reason: str) -> None:
    """Deploy the version that served, and follow the deployment to its end.

    Raises:
        NotThereError: nothing has served yet.
        RefusedError: the deployment failed.

    """
    serving = serving_model(target)
    if serving is None:
        message = f"Nothing has served yet. Run: {target.command('train')}"
        raise NotThereError(message)
    request = {
        "version": int(serving["version"]),
        "reason": reason,
        "requested_by": _caller(target),
    }
    started = target.client("stepfunctions").start_execution(
        stateMachineArn=target.output("Inference", "DeploymentWorkflowArn"),
        input=json.dumps(request),
    )
    execution = follow(target, str(started["executionArn"]))
    if execution.status != "SUCCEEDED":
        message = f"The endpoint did not come back: {execution.failure()}"
        raise RefusedError(message)
    console.print(f"Version {request['version']} serves again.")


def _caller(target: Target) -> str:
    return str(target.client("sts").get_caller_identity()["Arn"])
