"""One deployment a use case at a time: a lease with a number that grows each time it is taken.

What a deployment writes at its end is conditional on its holding the lease still. A lease whose
execution has died is taken over, so nothing that died can write afterwards.
"""

from __future__ import annotations

from typing import Any

from lambdas.common.claims import CLAIMED, RELEASED, Claim, Claims, Executions, take
from lambdas.common.errors import DocumentedError

LEASE = "LEASE"


class DeploymentConflictError(DocumentedError):
    """Version {version} is being deployed already, by {holder}; wait for its end and try again."""


def deployment_partition(use_case: str) -> str:
    """Partition of a use case's deployment lease."""
    return f"DEPLOYMENT#{use_case}"


def take_lease(
    claims: Claims, executions: Executions, execution_arn: str, facts: dict[str, Any]
) -> Claim:
    """Take the lease and give it; it notes the version that a dead holder has left half deployed.

    Raises ``DeploymentConflictError`` where a live execution holds it.
    """
    before = claims.get(LEASE)
    if before is not None and before.is_held_by(execution_arn):
        return before
    noted = {**facts, "fence": int(before.facts.get("fence", 0)) + 1 if before else 1}
    if before is not None and before.state == CLAIMED and "version" in before.facts:
        noted["left"] = before.facts["version"]
    wanted = Claim(LEASE, CLAIMED, execution_arn, noted)
    holder = take(claims, executions, wanted, before)
    if holder is not None:
        raise DeploymentConflictError(
            version=holder.facts.get("version", "?"), holder=holder.execution_arn
        )
    return wanted


def release_lease(claims: Claims, execution_arn: str) -> bool:
    """Let go; tell whether this execution held it."""
    current = claims.get(LEASE)
    if current is None or not current.is_held_by(execution_arn):
        return False
    freed = Claim(LEASE, RELEASED, execution_arn, {"fence": current.facts.get("fence", 0)})
    return claims.put(freed, replacing=current)
