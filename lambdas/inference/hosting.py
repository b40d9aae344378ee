"""What SageMaker hosts, as the deployment's functions see and change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code, error_message
from lambdas.inference.endpoint import Endpoint


class SageMakerHosting:
    """Models, endpoint configs and endpoints of SageMaker."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has_model(self, name: str) -> bool:
        """Tell whether a model exists."""
        return _found(lambda: self._client.describe_model(ModelName=name)) is not None

    def has_endpoint_config(self, name: str) -> bool:
        """Tell whether an endpoint config exists."""
        return self._config(name) is not None

    def models_of(self, config_name: str) -> list[str]:
        """Name the models of an endpoint config; none when it does not exist."""
        config = self._config(config_name) or {}
        return [variant["ModelName"] for variant in config.get("ProductionVariants", [])]

    def endpoint(self, name: str) -> Endpoint | None:
        """Look at an endpoint."""
        answer = _found(lambda: self._client.describe_endpoint(EndpointName=name))
        if answer is None:
            return None
        failure = answer.get("FailureReason", "")
        return Endpoint(answer["EndpointStatus"], answer.get("EndpointConfigName", ""), failure)

    def move(self, endpoint_name: str, config_name: str, how: dict[str, Any]) -> None:
        """Begin to move an endpoint to another config."""
        self._client.update_endpoint(
            EndpointName=endpoint_name, EndpointConfigName=config_name, DeploymentConfig=how
        )

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint."""
        _found(lambda: self._client.delete_endpoint(EndpointName=name))

    def delete_config(self, name: str) -> bool:
        """Delete an endpoint config; tell whether it was there."""
        delete = self._client.delete_endpoint_config
        return _found(lambda: delete(EndpointConfigName=name)) is not None

    def delete_model(self, name: str) -> bool:
        """Delete a model; tell whether it was there."""
        return _found(lambda: self._client.delete_model(ModelName=name)) is not None

    def _config(self, name: str) -> dict[str, Any] | None:
        describe = self._client.describe_endpoint_config
        return _found(lambda: describe(EndpointConfigName=name))


def _found(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """SageMaker has no code of its own for what does not exist: the message tells it."""
    try:
        return call()
    except ClientError as error:
        if error_code(error) != "ValidationException" or "ould not find" not in error_message(
            error
        ):
            raise
        return None
