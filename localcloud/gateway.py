"""Puts our services into ministack: routing, authorisation, validation, answers."""

import asyncio
import contextvars
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import router
from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild
from ministack.services.cloudformation import provisioners, stacks

from localcloud import (
    alarms,
    cold_starts,
    deleted_tables,
    event_targets,
    function_errors,
    registry_images,
    rest_apis,
    sign_in,
    stepfunctions,
)
from localcloud.answers import HttpAnswer, serialise, serialise_error
from localcloud.authorisation import Gate, close_holes
from localcloud.decisions import DecisionLog
from localcloud.environment import ACCOUNT, REGION, STATE_VARIABLE
from localcloud.event_loop import never_on_the_loop
from localcloud.plugins import load_services
from localcloud.registry import Call, Caller, ResourceType, Service, ServiceError
from localcloud.resource_types import RESOURCE_TYPES
from localcloud.service_model import HttpRequest, find_operation, parse, service_model
from localcloud.state_folder import StateFolder

LOG = logging.getLogger(__name__)
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Any]


@dataclass(frozen=True)
class Installed:
    """How what was started comes to its end."""

    drain: Callable[[], None]  #: finishes what needs the gateway itself
    stop: Callable[[], None]


def install() -> Installed:
    """Extend ministack."""
    folder = StateFolder(Path(os.environ[STATE_VARIABLE]))
    gate = Gate(DecisionLog(folder.decisions), REGION, ACCOUNT)
    services = {service.signing_name: service for service in load_services()}
    codebuild.WORKSPACE = str(folder.temporary / "codebuild")
    for service in services.values():
        _plug_in(service, gate)
    _add_types(RESOURCE_TYPES)
    _provision_off_the_loop({kind for each in services.values() for kind in each.resource_types})
    close_holes(gate, lambda name, *request: _is_ours(services.get(name), *request))
    stepfunctions.install(gate)
    event_targets.install(gate)
    cold_starts.install()
    function_errors.install()
    alarms.install()
    registry_images.install()
    deleted_tables.install()
    rest_apis.install()
    sign_in.install()
    for service in services.values():
        if service.start:
            service.start()
    ours = services.values()
    return Installed(
        lambda: _call_each(service.drain for service in ours),
        lambda: _call_each(service.stop for service in ours),
    )


def _call_each(hooks: Iterable[Callable[[], None] | None]) -> None:
    for hook in hooks:
        if hook:
            hook()


def _plug_in(service: Service, gate: Gate) -> None:
    name = service.signing_name
    theirs = ministack.SERVICE_HANDLERS.get(name)
    ministack.SERVICE_HANDLERS[name] = _handler(service, gate, theirs)
    prefixes = [service_model(each).metadata.get("targetPrefix") for each in service.models]
    router.SERVICE_PATTERNS.setdefault(
        name,
        {"target_prefixes": [f"{each}." for each in prefixes if each], "host_patterns": []},
    )
    _add_types(service.resource_types)


def _add_types(resource_types: Mapping[str, ResourceType]) -> None:
    for kind, resource_type in resource_types.items():
        provisioners._RESOURCE_HANDLERS[kind] = _provisioner(resource_type)  # noqa: SLF001


def _provision_off_the_loop(kinds: set[str]) -> None:
    """Let our resource types call the gateway while it serves others: on a worker thread."""
    theirs = stacks._runs_on_worker_thread  # noqa: SLF001
    ours = kinds | set(RESOURCE_TYPES)
    stacks._runs_on_worker_thread = lambda kind: kind in ours or theirs(kind)  # noqa: SLF001


def _provisioner(resource_type: ResourceType) -> dict[str, Any]:
    handlers: dict[str, Any] = {"create": resource_type.create, "delete": resource_type.delete}
    if resource_type.update:
        handlers["update"] = resource_type.update
    return {verb: never_on_the_loop(handler) for verb, handler in handlers.items()}


def _is_ours(service: Service | None, method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Return whether we answer the request, rather than ministack's handler below our overlay."""
    if service is None:
        return False
    return not service.overlays or _operation_name(service, method, path, headers) is not None


def _operation_name(
    service: Service, method: str, path: str, headers: Mapping[str, str]
) -> str | None:
    try:
        name = find_operation(service.models, HttpRequest(method, path, headers)).name
    except ServiceError:
        return None
    return name if name in service.operations else None


def _handler(service: Service, gate: Gate, theirs: Handler | None) -> Handler:
    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Answer:
        if theirs and not _is_ours(service, method, path, headers):
            answer: Answer = await theirs(method, path, headers, body, query)
            return answer
        request = HttpRequest(method, path, headers, query, body)
        context = contextvars.copy_context()
        ours = await asyncio.get_running_loop().run_in_executor(
            None, context.run, _answer, service, gate, request
        )
        return ours.status, ours.headers, ours.body

    return handle


def _answer(service: Service, gate: Gate, request: HttpRequest) -> HttpAnswer:
    model = service_model(service.models[0])
    try:
        operation = find_operation(service.models, request)
        model = operation.service_model
        call = Call(
            service=model.service_name,
            operation=operation.name,
            parameters=parse(operation, request),
            region=get_region(),
            account=get_account_id(),
            caller=_caller(request, gate),
        )
        run = _supported(service, operation.name)
        gate.check(call.caller, service.signing_name, service.permissions(call))
        return serialise(operation, run(call))
    except ServiceError as error:
        return serialise_error(model, error)
    except Exception as error:
        LOG.exception("%s %s failed", service.signing_name, request.path)
        return serialise_error(model, ServiceError("InternalFailure", repr(error), 500))


def _supported(service: Service, operation: str) -> Callable[[Call], Mapping[str, Any]]:
    if operation not in service.operations:
        known = ", ".join(sorted(service.operations))
        message = f"The embedded AWS does not support {operation}; it supports {known}"
        raise ServiceError("UnsupportedOperationException", message, 501)
    return service.operations[operation]


def _caller(request: HttpRequest, gate: Gate) -> Caller:
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    key = found.group(1) if found else str(request.query.get("X-Amz-Credential", [""])[0])
    key = key.split("/", 1)[0]
    return Caller(key, gate.principal(key))
