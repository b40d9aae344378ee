"""Claims in DynamoDB, executions in Step Functions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code, is_lost_race
from lambdas.common.claims import Claim
from lambdas.common.items import from_item, to_attribute, to_item

_OWN = ("pk", "sk", "state", "execution_arn")


class DynamoClaims:
    """Claims under one partition key; each claim's item also holds its facts."""

    def __init__(self, client: Any, table: str, partition: str) -> None:
        self._client = client
        self._table = table
        self._partition = partition

    def get(self, subject: str) -> Claim | None:
        """Read a claim, consistently."""
        stored = self._client.get_item(
            TableName=self._table, Key=to_item(self._key(subject)), ConsistentRead=True
        ).get("Item")
        if stored is None:
            return None
        item = from_item(stored)
        facts = {name: value for name, value in item.items() if name not in _OWN}
        return Claim(subject, item["state"], item["execution_arn"], facts)

    def put(self, claim: Claim, *, replacing: Claim | None) -> bool:
        """Write a claim where the stored one is still the given one (or none); tell success."""
        try:
            self._client.put_item(**self.put_request(claim, replacing))
        except ClientError as error:
            if not is_lost_race(error):
                raise
            stored = self.get(claim.subject)
            return stored == claim
        return True

    def put_request(self, claim: Claim, replacing: Claim | None) -> dict[str, Any]:
        """Give the conditional write of a claim, alone or as a part of a transaction."""
        item = {
            **self._key(claim.subject),
            "state": claim.state,
            "execution_arn": claim.execution_arn,
            **claim.facts,
        }
        request: dict[str, Any] = {"TableName": self._table, "Item": to_item(item)}
        if replacing is None:
            return {**request, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **request,
            "ConditionExpression": "#state = :state AND #execution = :execution",
            "ExpressionAttributeNames": {"#state": "state", "#execution": "execution_arn"},
            "ExpressionAttributeValues": {
                ":state": to_attribute(replacing.state),
                ":execution": to_attribute(replacing.execution_arn),
            },
        }

    def _key(self, subject: str) -> dict[str, str]:
        return {"pk": self._partition, "sk": subject}


class StepFunctionsExecutions:
    """Executions as Step Functions knows them."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def is_running(self, execution_arn: str) -> bool:
        """Tell whether an execution is still under way; one that is forgotten is not."""
        try:
            status = self._client.describe_execution(executionArn=execution_arn)["status"]
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            return False
        return bool(status in {"RUNNING", "PENDING_REDRIVE"})
