"""IAM's gate: every decision is logged, and what ministack lets through unchecked is closed.

ministack checks requests that it can name an action for and lets the others pass; here an action
that cannot be named is denied to everyone but root. Step Functions tasks are checked as the state
machine's role by `localcloud.stepfunctions`.
"""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import sts

from localcloud.decisions import ALLOWED, Decision, DecisionLog
from localcloud.registry import Caller, Permission, ServiceError
from localcloud.resources import condition_keys, resource_of

LOG = logging.getLogger(__name__)
# Requests that carry no credentials by design and are checked by their own services.
_UNNAMED = {"ecr", "cognito-idp", "cognito-identity", "execute-api", "eks", "appsync"}


class Gate:
    """Evaluates permissions with ministack's evaluator and logs every decision."""

    def __init__(self, log: DecisionLog, region: str, account: str) -> None:
        self._log = log
        self._region = region
        self._account = account
        self._evaluate: Callable[..., Any] = iam_evaluator.enforce
        self._principals: dict[str, str] = {}

    def enforce(
        self,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        """Stand in for ministack's `enforce`: the same answer, logged."""
        denied = self._evaluate(
            access_key_id, iam_action, service, region, resource_arn, service_context
        )
        if not isinstance(denied, iam_evaluator.AuthError):
            outcome = denied.decision if denied else ALLOWED
            principal = self.principal(access_key_id)
            self._log.write(Decision(principal, iam_action, resource_arn, outcome))
        return denied

    def principal(self, access_key_id: str) -> str:
        """Return the ARN behind an access key, looked up once: a key never changes hands."""
        known = self._principals.get(access_key_id)
        if known is None:
            # It gathers the principal's policies too: too slow for every line of the log.
            found = iam_evaluator.resolve_principal(access_key_id, self._account)
            known = getattr(found, "arn", None)
            if known is None:
                return "anonymous"
            self._principals[access_key_id] = known
        return known

    def check(self, caller: Caller, service: str, permissions: Iterable[Permission]) -> None:
        """Refuse a call of one of our services unless every permission is granted."""
        for each in permissions:
            context = dict(each.context)
            denied = self.enforce(
                caller.access_key_id, each.action, service, self._region, each.resource, context
            )
            if denied:
                raise _refusal(caller.arn, each, denied)

    def check_role(self, role_arn: str, session: str, permissions: Iterable[Permission]) -> None:
        """Refuse a workflow's task unless the role grants every permission."""
        name = role_arn.rsplit("/", 1)[-1]
        principal = f"arn:aws:sts::{self._account}:assumed-role/{name}/{session}"
        policies = iam_evaluator._gather_role_policies(name, self._account)  # noqa: SLF001
        for each in permissions:
            context = iam_evaluator.EvalContext(
                principal,
                "AssumedRole",
                self._account,
                each.action,
                each.resource,
                self._region,
                service_context={key.lower(): value for key, value in each.context.items()},
            )
            result = iam_evaluator.evaluate(context, policies)
            self._log.write(Decision(principal, each.action, each.resource, result.decision))
            if result.decision != ALLOWED:
                raise _refusal(principal, each, result)


def _refusal(principal: str, permission: Permission, denied: Any) -> ServiceError:
    if isinstance(denied, iam_evaluator.AuthError):
        return ServiceError(denied.code, denied.message, 403)
    reason = (
        "with an explicit deny in a policy"
        if denied.decision == "Deny"
        else f"because no identity-based policy allows the {permission.action} action"
    )
    message = (
        f"User: {principal} is not authorized to perform: {permission.action} "
        f"on resource: {permission.resource} {reason}"
    )
    return ServiceError("AccessDeniedException", message)


def close_holes(gate: Gate, is_ours: Callable[..., bool]) -> None:
    """Route ministack's checks through the gate; name the actions that it would let pass."""
    original = iam_actions.extract_iam_action

    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> str | None:
        if is_ours(service, method, path, headers):
            return None  # authenticated here, authorised by the service's own permissions
        action: str | None = original(service, method, path, headers, body, query)
        if action or service in _UNNAMED:
            return action
        namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE.get(service, service)
        return f"{namespace}:UnrecognisedAction"

    iam_actions.extract_iam_action = extract_iam_action
    _admit_one_root(os.environ["AWS_ACCESS_KEY_ID"])
    iam_actions.extract_resource_arn = _naming(iam_actions.extract_resource_arn)
    iam_actions.request_tag_context = _with_keys(iam_actions.request_tag_context)
    iam_evaluator.enforce = gate.enforce


def _admit_one_root(key: str) -> None:
    """Make the operator's key the only root key, and have its signature checked like any other.

    ministack takes `test` and every twelve-digit number for root, whatever the signature.
    """
    iam_evaluator.is_root_access_key = lambda each: not each or each == key
    sts.is_root_access_key = iam_evaluator.is_root_access_key
    iam_evaluator._is_root_key = lambda each: not each  # noqa: SLF001


def _with_keys(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return ministack's condition keys of a request, and those that it does not fill."""

    def context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        return {**original(service, action, body, parameters), **condition_keys(action, body)}

    return context


def _naming(original: Callable[..., str]) -> Callable[..., str]:
    """Return ministack's reading of a request's resource, with ours where it differs from AWS."""

    def extract_resource_arn(  # ministack's own signature
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        ours = resource_of(service, headers, body, region, account)
        return ours or original(service, method, path, headers, body, query, region, account)

    return extract_resource_arn
