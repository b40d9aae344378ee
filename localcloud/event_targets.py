"""EventBridge's state machine targets: started as the rule's role, or not at all.

ministack starts them whatever the role may do. As on AWS, a rule without a role is refused when the
target is put, and a role that may not start the execution makes a failed invocation, which the
decision log and the daemon's log name.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import eventbridge

from localcloud.authorisation import Gate
from localcloud.credentials import assume_role
from localcloud.registry import Permission, ServiceError

LOG = logging.getLogger(__name__)
Fields = Mapping[str, Any]


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
        deliver(target, event, rule, view)

    return invoke_target


def _check(gate: Gate, target: Fields, rule: Fields) -> None:
    arn = str(target.get("Arn", ""))
    if not _is_state_machine(arn):
        return
    source = str(rule.get("Arn", ""))
    service = "scheduler.amazonaws.com" if ":scheduler:" in source else "events.amazonaws.com"
    session = str(rule.get("Name", "rule"))
    role = target.get("RoleArn")
    if not role:
        raise ServiceError("ValidationException", f"the target of rule {session} has no RoleArn")
    assume_role(role, service, session, source_arn=source)
    gate.check_role(role, session, [Permission("states:StartExecution", arn)])


def _validated(validate: Callable[[Fields], Any]) -> Callable[[Fields], Any]:
    def validate_target(target: Fields) -> Any:
        arn = str(target.get("Arn", ""))
        if _is_state_machine(arn) and not target.get("RoleArn"):
            message = f"RoleArn is required for target {arn}."
            return error_response_json("ValidationException", message, 400)
        return validate(target)

    return validate_target


def _is_state_machine(arn: str) -> bool:
    return arn.split(":")[2:3] == ["states"]
