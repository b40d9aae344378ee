"""What serves, in DynamoDB."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.claims import CLAIMED
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.items import to_attribute, to_item
from lambdas.common.model_records import SERVING, ModelRecord, ServingRecord
from lambdas.common.model_states import ModelState
from lambdas.inference.deployment_lease import LEASE, deployment_partition


class DynamoServingModels:
    """The pointer to what serves, and the states of the versions, changed together."""

    def __init__(self, records: DynamoModelRecords, use_case: str) -> None:
        self._records = records
        self._use_case = use_case

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""
        return self._records.version(version)

    def serving(self) -> ServingRecord | None:
        """Read what serves."""
        return self._records.serving()

    def serve(
        self, serving: ServingRecord, *, replacing: ServingRecord | None, replaced_as: ModelState
    ) -> bool:
        """Point at a version, mark it deployed and the replaced one in its new state.

        Tells success: the execution still held the lease, and the pointer was as expected.
        """
        changes = [
            _fence_check(self._records.table, self._use_case, serving["execution_arn"]),
            {"Put": self._pointer(serving, replacing)},
            {"Update": self._records.state_change(serving["version"], "deployed")},
        ]
        if replacing and self._retires(replacing["version"], serving["version"]):
            changes.append(
                {"Update": self._records.state_change(replacing["version"], replaced_as)}
            )
        try:
            self._records.client.transact_write_items(TransactItems=changes)
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _retires(self, replaced: int, version: int) -> bool:
        """Tell whether what is replaced was deployed; what is blocked stays so."""
        record = self._records.version(replaced)
        return replaced != version and record is not None and record["state"] == "deployed"

    def _pointer(self, serving: ServingRecord, replacing: ServingRecord | None) -> dict[str, Any]:
        put: dict[str, Any] = {
            "TableName": self._records.table,
            "Item": to_item({**self._records.key(SERVING), **serving}),
        }
        if replacing is None:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **put,
            "ConditionExpression": "#execution = :execution AND #version = :version",
            "ExpressionAttributeNames": {"#execution": "execution_arn", "#version": "version"},
            "ExpressionAttributeValues": {
                ":execution": to_attribute(replacing["execution_arn"]),
                ":version": to_attribute(replacing["version"]),
            },
        }


def _fence_check(table: str, use_case: str, execution_arn: str) -> dict[str, Any]:
    """Give the part of a transaction that fails unless the execution holds the lease."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": to_item({"pk": deployment_partition(use_case), "sk": LEASE}),
            "ConditionExpression": "#state = :claimed AND #execution = :execution",
            "ExpressionAttributeNames": {"#state": "state", "#execution": "execution_arn"},
            "ExpressionAttributeValues": {
                ":claimed": to_attribute(CLAIMED),
                ":execution": to_attribute(execution_arn),
            },
        }
    }
