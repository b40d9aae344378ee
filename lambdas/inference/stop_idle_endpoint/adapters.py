"""The endpoint in SageMaker, and its requests in CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_message
from lambdas.inference.stop_idle_endpoint.logic import RunningEndpoint

PERIOD_SECONDS = 3600


class WatchedHosting:
    """SageMaker's endpoints and the metrics that it writes."""

    def __init__(self, sagemaker: Any, cloudwatch: Any) -> None:
        self._sagemaker = sagemaker
        self._cloudwatch = cloudwatch

    def endpoint(self, name: str) -> RunningEndpoint | None:
        """Look at an endpoint."""
        try:
            found = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if "Could not find" in error_message(error):
                return None
            raise
        variants = tuple(each["VariantName"] for each in found.get("ProductionVariants", []))
        return RunningEndpoint(
            found["EndpointStatus"],
            found["EndpointConfigName"],
            found["LastModifiedTime"].astimezone(UTC),
            variants,
        )

    def requests(self, name: str, variants: tuple[str, ...], since: datetime) -> float:
        """Count the requests since a moment."""
        return sum(self._of_variant(name, variant, since) for variant in variants)

    def delete(self, name: str) -> None:
        """Begin to delete an endpoint; its config and its model stay."""
        self._sagemaker.delete_endpoint(EndpointName=name)

    def _of_variant(self, name: str, variant: str, since: datetime) -> float:
        answer = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": variant},
            ],
            StartTime=since,
            EndTime=datetime.now(UTC),
            Period=PERIOD_SECONDS,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))
