"""Approvals in the model table."""

from __future__ import annotations

from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.model_records import approval_partition, version_key
from lambdas.training_pipeline.approvals import Approval
from lambdas.training_pipeline.contract import ApprovalState


class DynamoApprovals:
    """One item a version; every change is conditional on what was read."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._partition = approval_partition(use_case)

    def get(self, version: int) -> Approval | None:
        """Read a version's approval."""
        stored = self._client.get_item(
            TableName=self._table, Key=self._key(version), ConsistentRead=True
        ).get("Item")
        return cast(Approval, from_item(stored)) if stored else None

    def ask(self, approval: Approval) -> bool:
        """Write an approval, unless another execution waits for one; tell success."""
        key = self._key(approval["version"])
        return self._written(
            self._client.put_item,
            Item={**to_item(approval), **key},
            ConditionExpression="attribute_not_exists(pk) OR #execution = :execution",
            ExpressionAttributeNames={"#execution": "execution_arn"},
            ExpressionAttributeValues={":execution": to_attribute(approval["execution_arn"])},
        )

    def decide(self, approval: Approval, state: ApprovalState, approver: str, reason: str) -> bool:
        """Decide an approval that still waits with this very token; tell success."""
        return self._written(
            self._client.update_item,
            Key=self._key(approval["version"]),
            UpdateExpression="SET #state = :state, #approver = :approver, #reason = :reason",
            ConditionExpression="#state = :waiting AND #token = :token",
            ExpressionAttributeNames={
                "#state": "state",
                "#approver": "approver",
                "#reason": "reason",
                "#token": "token",
            },
            ExpressionAttributeValues={
                ":state": to_attribute(state),
                ":approver": to_attribute(approver),
                ":reason": to_attribute(reason),
                ":waiting": to_attribute("waiting"),
                ":token": to_attribute(approval["token"]),
            },
        )

    def close(self, version: int, state: ApprovalState) -> None:
        """Say what the workflow made of it."""
        self._client.update_item(
            TableName=self._table,
            Key=self._key(version),
            UpdateExpression="SET #state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": to_attribute(state)},
        )

    def _written(self, write: Any, **request: Any) -> bool:
        try:
            write(TableName=self._table, **request)
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _key(self, version: int) -> dict[str, Any]:
        return to_item({"pk": self._partition, "sk": version_key(version)})
