"""Endpoints as what scales: through SageMaker's own operation, as Application Auto Scaling does."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.sagemaker.scope import Scope


class EndpointCapacity:
    """The instances of endpoints' variants."""

    def __init__(self) -> None:
        self._made: Any = None

    def instances(self, scope: Scope, endpoint: str, variant: str) -> int | None:  # noqa: ARG002
        """Count a variant's instances; none where it is not in service."""
        try:
            told = self._client.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if "Could not find" in error.response["Error"]["Message"]:
                return None
            raise
        if told["EndpointStatus"] != "InService":
            return None
        found = [v for v in told["ProductionVariants"] if v["VariantName"] == variant]
        return int(found[0]["CurrentInstanceCount"]) if found else None

    def set_instances(
        self,
        scope: Scope,  # noqa: ARG002  one account and region
        endpoint: str,
        variant: str,
        count: int,
    ) -> None:
        """Begin to give a variant so many instances."""
        self._client.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[{"VariantName": variant, "DesiredInstanceCount": count}],
        )

    @property
    def _client(self) -> Any:
        if self._made is None:
            url = os.environ["AWS_ENDPOINT_URL"]
            self._made = boto3.Session().client("sagemaker", endpoint_url=url)
        return self._made
