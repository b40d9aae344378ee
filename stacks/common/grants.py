"""Grants on named resources, where CDK has none or gives more than is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.findings import acknowledge, wildcard_finding
from stacks.common.table import DataTable


class UnexplainedWildcardError(ValueError):
    """A grant covers more than one resource and does not say why."""


def grant_on(
    role: iam.Role,
    *actions: str,
    resources: Sequence[str],
    wildcard_reason: str | None = None,
    written_as: Sequence[str] = (),
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Allow actions on named resources; one with a `*` needs a reason.

    ``written_as`` says how findings write resources of another stack, whose references have no
    name before synthesis.
    """
    for resource in written_as or resources:
        finding = wildcard_finding(role, resource)
        if finding is None:
            continue
        if wildcard_reason is None:
            message = f"{role.node.path}: {finding}: say in wildcard_reason why it is right"
            raise UnexplainedWildcardError(message)
        acknowledge(role, {finding: wildcard_reason})
    iam.Grant.add_to_principal(
        grantee=role,
        actions=list(actions),
        resource_arns=list(resources),
        conditions=dict(conditions) if conditions else None,
    )


def grant_items(table: DataTable, role: iam.Role, *actions: str) -> None:
    """Allow single actions on a table, and the use of the key it is encrypted with."""
    # CDK's own grant would include every index of the table, under a wildcard.
    names = [f"dynamodb:{action}" for action in actions]
    grant_on(role, *names, resources=[table.table_arn])
    table.key.grant(role, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey")


def grant_attempts(attempts: DataTable, role: iam.Role) -> None:
    """Allow to take idempotency keys, to keep answers under them, and to give them back."""
    grant_items(attempts, role, "GetItem", "PutItem", "UpdateItem", "DeleteItem")


def grant_append(ledger: DataTable, role: iam.Role) -> None:
    """Allow to read the ledger and to add to it; nobody may change what it holds."""
    grant_items(ledger, role, "GetItem", "PutItem", "Query")


def grant_put_events(scope: Construct, role: iam.Role) -> None:
    """Allow to announce what happened on the account's default event bus."""
    events.EventBus.from_event_bus_name(scope, "DefaultBus", "default").grant_put_events_to(role)


def grant_pass(role: iam.Role, passed: iam.IRole, *, service: str) -> None:
    """Allow to hand a role to one service and to no other."""
    grant_on(
        role,
        "iam:PassRole",
        resources=[passed.role_arn],
        conditions={"StringEquals": {"iam:PassedToService": service}},
    )


def grant_sync_rule(role: iam.Role, rule: str) -> None:
    """Allow Step Functions to keep the managed rule through which it hears of a job's end."""
    arn = Stack.of(role).format_arn(service="events", resource="rule", resource_name=rule)
    grant_on(role, "events:PutTargets", "events:PutRule", "events:DescribeRule", resources=[arn])
