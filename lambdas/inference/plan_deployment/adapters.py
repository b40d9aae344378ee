"""What SageMaker hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code, error_message
from lambdas.inference.plan_deployment.logic import Endpoint


class SageMakerHosting:
    """Models, endpoint configs and endpoints of SageMaker."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has_model(self, name: str) -> bool:
        """Tell whether a model exists."""
        return _found(lambda: self._client.describe_model(ModelName=name)) is not None

    def has_endpoint_config(self, name: str) -> bool:
        """Tell whether an endpoint config exists."""
        describe = self._client.describe_endpoint_config
        return _found(lambda: describe(EndpointConfigName=name)) is not None

    def endpoint(self, name: str) -> Endpoint | None:
        """Look at an endpoint."""
        answer = _found(lambda: self._client.describe_endpoint(EndpointName=name))
        if answer is None:
            return None
        return Endpoint(answer["EndpointStatus"], answer.get("EndpointConfigName", ""))


def _found(describe: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """SageMaker has no code of its own for what does not exist: the message tells it."""
    try:
        return describe()
    except ClientError as error:
        if error_code(error) != "ValidationException" or "ould not find" not in error_message(
            error
        ):
            raise
        return None
