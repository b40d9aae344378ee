"""Runs the task states of ministack's interpreter as the state machine's role.

Lambda functions and the integrations that ministack performs itself are checked against the role's
policies first; everything else becomes a real API call with a session of the role. A `.sync` task
starts a job and waits for its end; it stops the job when the task times out or the execution is
stopped, as AWS does.
"""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import stepfunctions as ministack

from localcloud import task_tokens
from localcloud.authorisation import Gate
from localcloud.jobs import completions
from localcloud.registry import Permission, ServiceError
from localcloud.stepfunctions import (
    endings,
    history,
    integrations,
    interrupted,
    paths,
    siblings,
    trial,
)
from localcloud.stepfunctions.jobs import JOBS
from localcloud.stepfunctions.permissions import native_permission
from localcloud.stepfunctions.sdk_call import TaskError
from localcloud.stepfunctions.task import CURRENT, Task, role_of_execution

_PREFIX = "arn:aws:states:::"
Parameters = Mapping[str, Any]
AWAITED: contextvars.ContextVar[str | None] = contextvars.ContextVar("awaited", default=None)
"""The token that the running task will wait for once its function has been called."""


def install(gate: Gate) -> None:
    """Put this engine under ministack's interpreter."""
    paths.install()
    endings.install()
    siblings.install()
    history.install()
    interrupted.install()
    _Engine(gate).install()
    trial.install()


class _Engine:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: dict[str, str] = {}  # the execution whose task waits, by its token
        self._execute_task: Callable[..., Any] = ministack._execute_task  # noqa: SLF001
        self._with_timeout: Callable[..., Any] = ministack._invoke_resource_with_timeout  # noqa: SLF001
        self._native: Callable[..., Any] = ministack._invoke_resource  # noqa: SLF001
        self._status_changed: Callable[..., None] = ministack._emit_execution_status_event  # noqa: SLF001
        self._callback: Callable[..., Any] = ministack._invoke_with_callback  # noqa: SLF001
        self._call_lambda: Callable[..., Any] = ministack._call_lambda  # noqa: SLF001

    def install(self) -> None:
        ministack._execute_task = self.execute_task  # noqa: SLF001
        ministack._invoke_resource_with_timeout = self.invoke_with_timeout  # noqa: SLF001
        ministack._invoke_resource = self.invoke  # noqa: SLF001
        ministack._invoke_with_callback = self.invoke_with_callback  # noqa: SLF001
        ministack._call_lambda = self.call_lambda  # noqa: SLF001
        ministack._emit_execution_status_event = self.status_changed  # noqa: SLF001

    def execute_task(self, state: Any, raw_input: Any, execution: Any, context: Any) -> Any:
        """Run a task state with its execution's role at hand."""
        token = CURRENT.set(Task(role_of_execution(execution), execution))
        try:
            return self._execute_task(state, raw_input, execution, context)
        finally:
            CURRENT.reset(token)

    def invoke_with_timeout(self, resource: str, parameters: Any, seconds: float) -> Any:
        """Run one attempt that has TimeoutSeconds; the attempt sees its own deadline."""
        token = CURRENT.set(CURRENT.get().within(seconds))
        try:
            return self._with_timeout(resource, parameters, seconds)
        finally:
            CURRENT.reset(token)

    def invoke_with_callback(self, resource: str, parameters: Any, token: str, state: Any) -> Any:
        """Check the role, then start a task that waits for its token."""
        self._check(resource.replace(".waitForTaskToken", ""), parameters)
        awaited = AWAITED.set(token)
        execution = CURRENT.get().execution
        task_tokens.remember(token, str(execution["stateMachineArn"]))
        self._waiting[token] = execution["executionArn"]
        try:
            return self._callback(resource, parameters, token, state)
        finally:
            self._waiting.pop(token, None)
            task_tokens.forget(token)
            AWAITED.reset(awaited)

    def call_lambda(self, function: str, event: Any) -> Any:
        """Call a function; one that fails fails the task that would wait for its token."""
        try:
            return self._call_lambda(function, event)
        except ministack._ExecutionError as error:  # noqa: SLF001
            _fail_waiting(AWAITED.get(), error)
            raise

    def invoke(self, resource: str, parameters: Any) -> Any:
        """Run one attempt of a task."""
        if self._check(resource, parameters):
            if resource == f"{_PREFIX}events:putEvents":
                parameters = _with_origin(parameters, CURRENT.get().execution)
            return self._native(resource, parameters)
        try:
            return integrations.call(CURRENT.get(), resource.removeprefix(_PREFIX), parameters)
        except TaskError as error:
            raise ministack._ExecutionError(error.error, error.cause) from error  # noqa: SLF001

    def status_changed(self, execution: Any) -> None:
        """Watch an execution that has begun; tell those who wait for one that it has ended."""
        self._status_changed(execution)
        if execution["status"] == endings.RUNNING:
            endings.limit(execution)
        else:
            endings.forget(execution)
            self._release_tokens(execution["executionArn"])
            completions.announce(execution["executionArn"])

    def _release_tokens(self, execution_arn: str) -> None:
        """Let no task of an execution that has ended wait for its token any longer."""
        for token, arn in list(self._waiting.items()):
            if arn == execution_arn:
                over = ministack._ExecutionError("States.Runtime", "The execution has ended")  # noqa: SLF001
                _fail_waiting(token, over)

    def _check(self, resource: str, parameters: Any) -> bool:
        """Check what ministack is about to do itself; return whether it is to do it."""
        permission = _needed(resource, parameters)
        if permission is None:
            return False
        task = CURRENT.get()
        try:
            self._gate.check_role(task.role_arn, task.execution_name, [permission])
        except ServiceError as error:
            name = permission.action.split(":")[0].capitalize() + ".AccessDeniedException"
            raise ministack._ExecutionError(name, error.message) from error  # noqa: SLF001
        return True


def _with_origin(parameters: Parameters, execution: Parameters) -> Parameters:
    """Add the execution and its machine to what events are about, as AWS does."""
    origin = [execution["executionArn"], execution["stateMachineArn"]]
    entries = [
        {**entry, "Resources": [*entry.get("Resources", []), *origin]}
        for entry in parameters["Entries"]
    ]
    return {**parameters, "Entries": entries}


def _fail_waiting(token: str | None, error: Any) -> None:
    """Fail the task that waits for a token; ministack would let it wait for its whole timeout."""
    waiting = ministack._task_tokens.get(token) if token else None  # noqa: SLF001
    if waiting is not None:
        waiting["error"] = {"Error": error.error, "Cause": error.cause}
        waiting["event"].set()


def _needed(resource: str, parameters: Any) -> Permission | None:
    """Return what a task needs that ministack performs itself; None if it becomes an API call."""
    if not resource.startswith(_PREFIX):
        action = "states:SendTaskSuccess" if ":activity:" in resource else "lambda:InvokeFunction"
        return Permission(action, resource)
    name = resource.removeprefix(_PREFIX)
    if name in JOBS:
        return None
    integration = name.split(".")[0]
    return native_permission(integration, parameters if isinstance(parameters, dict) else {})
