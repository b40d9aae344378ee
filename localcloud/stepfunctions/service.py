"""TestState of Step Functions; all other operations stay ministack's."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.registry import Call, Permission, Service, pass_role
from localcloud.stepfunctions.state_tests import test_state


def service() -> Service:
    """Offer the test of single states."""
    return Service(
        signing_name="states",
        models=("stepfunctions",),
        operations={"TestState": test_state},
        permissions=_permissions,
        overlays=True,
    )


def _permissions(call: Call) -> Sequence[Permission]:
    found = [Permission("states:TestState")]
    if call.parameters.get("revealSecrets"):
        found.append(Permission("states:RevealSecrets"))
    if role := call.parameters.get("roleArn"):
        found.append(pass_role(role, "states.amazonaws.com"))
    return found
