"""TestState: one state, run by the interpreter that runs executions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ministack.services import stepfunctions as ministack

from localcloud.registry import Call, ServiceError
from localcloud.stepfunctions import history
from localcloud.stepfunctions.definitions import Document, Found, find_state, read_json
from localcloud.stepfunctions.mocks import mock_for
from localcloud.stepfunctions.trial import TRIAL, RetriableError, Trial

_INPUT = "InvalidExecutionInput"
_MACHINE = "TestState"


def test_state(call: Call) -> Document:
    """Run one state, with or without something that stands in for its work."""
    given = call.parameters
    found = find_state(given["definition"], given.get("stateName"))
    mock = mock_for(found.state, given.get("mock"))
    if found.state["Type"] == "Task" and mock is None and not given.get("roleArn"):
        raise _refused("A Task without a mock needs roleArn")
    value = read_json("input", given.get("input", "{}"), _INPUT)
    configuration = given.get("stateConfiguration", {})
    trial = Trial(mock, configuration.get("retrierRetryCount", 0))
    execution = _execution(call, given.get("roleArn", ""), value)
    context = _context(found, given, execution, value)
    answer = _run(trial, found, value, execution, context)
    if given.get("inspectionLevel", "INFO") == "INFO":
        return answer
    return {**answer, "inspectionData": _inspected(trial, value, context)}


def _run(
    trial: Trial, found: Found, value: Any, execution: Document, context: Document
) -> Document:
    token = TRIAL.set(trial)
    try:
        output, following = history.run_state(
            found.state["Type"], found.state, value, execution, context
        )
    except RetriableError as error:
        return {"status": "RETRIABLE", **_failure(error.__context__)}
    except ministack._ExecutionError as error:  # noqa: SLF001
        return {"status": "FAILED", **_failure(error)}
    finally:
        TRIAL.reset(token)
    answer = {"status": "SUCCEEDED", "output": json.dumps(output)}
    if following:
        answer["nextState"] = following
    if trial.failure:
        caught = {"error": trial.failure["Error"], "cause": trial.failure["Cause"]}
        answer.update(status="CAUGHT_ERROR", **caught)
    return answer


def _failure(error: Any) -> Document:
    return {"error": error.error, "cause": error.cause}


def _execution(call: Call, role_arn: str, value: Any) -> Document:
    """Return what the interpreter takes for an execution."""
    arn, name = f"arn:aws:states:{call.region}:{call.account}", str(uuid.uuid4())
    started = {"input": json.dumps(value), "roleArn": role_arn}
    return {
        "executionArn": f"{arn}:express:{_MACHINE}:{name}:{name}",
        "stateMachineArn": f"{arn}:stateMachine:{_MACHINE}",
        "name": name,
        "status": "RUNNING",
        "startDate": ministack.now_iso(),
        "events": [{"executionStartedEventDetails": started}],
    }


def _context(found: Found, given: Mapping[str, Any], execution: Document, value: Any) -> Document:
    """Return the context object: what was given, laid over what an execution would have."""
    context: Document = {
        "Execution": {
            "Id": execution["executionArn"],
            "Input": value,
            "Name": execution["name"],
            "RoleArn": given.get("roleArn", ""),
            "StartTime": execution["startDate"],
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": _MACHINE},
        "State": {"Name": found.name, "EnteredTime": ministack.now_iso(), "RetryCount": 0},
        "QueryLanguage": found.query_language,
        "variables": _object("variables", given),
    }
    if found.in_map:
        context["Map"] = {"Item": {"Index": 0, "Value": value}}
    if "context" in given and "mock" not in given:
        raise _refused("A context is supported only when a mock is specified")
    for part, values in _object("context", given).items():
        context[part] = {**context.get(part, {}), **values}
    return context


def _object(what: str, given: Mapping[str, Any]) -> Document:
    value = read_json(what, given.get(what, "{}"), "ValidationException")
    if not isinstance(value, dict):
        raise _refused(f"{what} must be a JSON object")
    return value


def _inspected(trial: Trial, value: Any, context: Document) -> Document:
    data = {"input": value, **trial.data}
    if trial.items:
        data["afterItemSelector"] = [trial.items[index] for index in sorted(trial.items)]
    if context["variables"]:
        data["variables"] = context["variables"]
    texts: Document = {stage: json.dumps(each) for stage, each in data.items()}
    return {**texts, **({"errorDetails": trial.error_details} if trial.error_details else {})}


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
