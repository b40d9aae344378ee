"""Evidence in DynamoDB, verdicts in CloudWatch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lambdas.common.items import from_item, to_item
from lambdas.inference.canary_evidence import Counts, evidence_key
from lambdas.inference.contract import BAD_VERSION, DEPLOYMENT_NAMESPACE


class DynamoEvidence:
    """Counters of one endpoint's versions."""

    def __init__(self, client: Any, table: str, endpoint_name: str) -> None:
        self._client = client
        self._table = table
        self._endpoint_name = endpoint_name

    def read(self, versions: Collection[str]) -> dict[str, Counts]:
        """Read what was counted of each version so far."""
        return {version: self._of(version) for version in versions}

    def _of(self, version: str) -> Counts:
        item = self._client.get_item(
            TableName=self._table,
            Key=to_item(evidence_key(self._endpoint_name, version)),
            ConsistentRead=True,
        ).get("Item", {})
        own = {*evidence_key(self._endpoint_name, version), "expires_at"}
        return {name: int(value) for name, value in from_item(item).items() if name not in own}


class CloudWatchVerdicts:
    """The metric whose alarm has SageMaker roll a deployment back."""

    def __init__(self, client: Any, alarms: Collection[str]) -> None:
        self._client = client
        self._alarms = list(alarms)

    def tell(self, endpoint_name: str, *, bad: bool) -> None:
        """Publish a verdict."""
        self._client.put_metric_data(
            Namespace=DEPLOYMENT_NAMESPACE,
            MetricData=[
                {
                    "MetricName": BAD_VERSION,
                    "Dimensions": [{"Name": "EndpointName", "Value": endpoint_name}],
                    "Value": float(bad),
                    "StorageResolution": 1,
                }
            ],
        )

    def raised(self) -> list[str]:
        """Name the alarms that are raised."""
        return [name for name in self._alarms if self._is_raised(name)]

    def _is_raised(self, name: str) -> bool:
        """Ask for one alarm at a time: the role may look at these alarms only."""
        alarms = self._client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return any(each["StateValue"] == "ALARM" for each in alarms)
