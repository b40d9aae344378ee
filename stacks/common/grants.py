"""Grants that CDK has no method for, each on named resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.findings import acknowledge
from stacks.common.table import DataTable

_KEY_REASON = "Each of these two families has a variant per caller; both are limited to one key."


def grant_items(table: DataTable, grantee: iam.IGrantable, *actions: str) -> None:
    """Allow single actions on a table, and the use of the key it is encrypted with."""
    table.grant(grantee, *[f"dynamodb:{action}" for action in actions])
    if table.encryption_key is not None:
        table.encryption_key.grant_encrypt_decrypt(grantee)


def grant_append(ledger: DataTable, grantee: iam.IGrantable) -> None:
    """Allow to read the ledger's end and to add to it; nobody may change what it holds."""
    grant_items(ledger, grantee, "GetItem", "PutItem", "Query")


def grant_put_events(scope: Construct, grantee: iam.IGrantable) -> None:
    """Allow to announce what happened on the account's default event bus."""
    bus = events.EventBus.from_event_bus_name(scope, "DefaultBus", "default")
    bus.grant_put_events_to(grantee)


def grant_on(
    grantee: iam.IGrantable,
    *actions: str,
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Allow actions on named resources."""
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(actions),
        resource_arns=list(resources),
        conditions=dict(conditions) if conditions else None,
    )


def grant_pass(grantee: iam.IGrantable, role: iam.IRole, *, service: str) -> None:
    """Allow to hand a role to one service and to no other."""
    grant_on(
        grantee,
        "iam:PassRole",
        resources=[role.role_arn],
        conditions={"StringEquals": {"iam:PassedToService": service}},
    )


def grant_sync_rule(scope: Construct, grantee: iam.IGrantable, rule: str) -> None:
    """Allow Step Functions to keep the managed rule through which it hears of a job's end."""
    arn = Stack.of(scope).format_arn(service="events", resource="rule", resource_name=rule)
    grant_on(grantee, "events:PutTargets", "events:PutRule", "events:DescribeRule", resources=[arn])


def acknowledge_key_use(scope: Construct) -> None:
    """Accept the wildcards that CDK's key grants carry."""
    acknowledge(
        scope,
        {
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": _KEY_REASON,
            "AwsSolutions-IAM5[Action::kms:ReEncrypt*]": _KEY_REASON,
        },
    )
