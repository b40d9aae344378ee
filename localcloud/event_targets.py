"""EventBridge's targets that a role starts: state machines and pipelines, as that role alone.

ministack starts them whatever the role may do. As on AWS, a rule without a role is refused when the
target is put, and a role that may not start the execution makes a failed invocation, which the
decision log and the daemon's log name.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import error_response_json
from ministack.services import eventbridge

from localcloud.authorisation import Gate
from localcloud.credentials import assume_role, role_environment
from localcloud.jobs.host import client
from localcloud.registry import Permission, ServiceError

LOG = logging.getLogger(__name__)
Fields = Mapping[str, Any]
EVENT_SESSION = "events-"
"""How the sessions of rules' roles begin: what they start tells an event from a person by it."""
_EVENTS = "events.amazonaws.com"
_BY_ROLE = ("states", "codepipeline")
"""Services whose targets are started by a role."""


def install(gate: Gate) -> None:
    """Put the checks before ministack's own delivery."""
    eventbridge._invoke_target = _checked(gate, eventbridge._invoke_target)  # noqa: SLF001
    eventbridge._validate_target_arn = _validated(eventbridge._validate_target_arn)  # noqa: SLF001


def _checked(gate: Gate, deliver: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: Fields, event: Fields, rule: Fields, view: Any = None) -> None:
        try:
            _check(gate, target, rule)
        except ServiceError as error:
            LOG.warning("event not delivered to %s: %s", target.get("Arn"), error.message)
            return
        if _service_of(target) == "codepipeline":
            # Off the gateway's own thread, which has to answer the request that this makes.
            starter = threading.Thread(target=_start_pipeline, args=(target, rule), daemon=True)
            starter.start()
            return
        deliver(target, event, rule, view)

    return invoke_target


def _start_pipeline(target: Fields, rule: Fields) -> None:
    """Start the pipeline that a rule names, as the rule's role."""
    pipeline = str(target["Arn"]).rpartition(":")[2]
    try:
        session = f"{EVENT_SESSION}{rule.get('Name', 'rule')}"
        role = role_environment(target["RoleArn"], _EVENTS, session)
        client("codepipeline", role).start_pipeline_execution(name=pipeline)
    except (ServiceError, BotoCoreError, ClientError) as error:
        LOG.warning("event not delivered to %s: %s", target["Arn"], error)


def _check(gate: Gate, target: Fields, rule: Fields) -> None:
    arn = str(target.get("Arn", ""))
    if _service_of(target) != "states":
        return
    source = str(rule.get("Arn", ""))
    service = "scheduler.amazonaws.com" if ":scheduler:" in source else _EVENTS
    session = str(rule.get("Name", "rule"))
    role = target.get("RoleArn")
    if not role:
        raise ServiceError("ValidationException", f"the target of rule {session} has no RoleArn")
    assume_role(role, service, session, source_arn=source)
    gate.check_role(role, session, [Permission("states:StartExecution", arn)])


def _validated(validate: Callable[[Fields], Any]) -> Callable[[Fields], Any]:
    def validate_target(target: Fields) -> Any:
        arn = str(target.get("Arn", ""))
        if _service_of(target) in _BY_ROLE and not target.get("RoleArn"):
            message = f"RoleArn is required for target {arn}."
            return error_response_json("ValidationException", message, 400)
        return validate(target)

    return validate_target


def _service_of(target: Fields) -> str:
    return "".join(str(target.get("Arn", "")).split(":")[2:3])
