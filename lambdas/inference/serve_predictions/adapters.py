"""The endpoint in SageMaker, the prediction log behind a queue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from botocore import exceptions
from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code, error_message
from lambdas.common.items import from_item
from lambdas.common.problem import problem
from lambdas.inference.prediction_messages import StoredPrediction, pack
from lambdas.inference.serve_predictions.refusals import (
    EndpointRefusedError,
    EndpointUnavailableError,
)
from pipeline_code.inference.contract import JSON, PredictionResponse, Problem

_UNREACHABLE = (ClientError, exceptions.ConnectionError, exceptions.HTTPClientError)
_TRANSIENT = {
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalFailure",
    "InternalDependencyException",
    "ModelNotReadyException",
    "ThrottlingException",
    "Throttling",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
}
_THROTTLED = {"ThrottlingException", "Throttling", "RequestLimitExceeded"}
_CLIENT_FAULT = range(400, 500)
_TOO_MANY_REQUESTS = 429


class SageMakerEndpoint:
    """One endpoint of SageMaker."""

    def __init__(self, client: Any, endpoint_name: str) -> None:
        self._client = client
        self._endpoint_name = endpoint_name

    def ask(self, body: bytes) -> PredictionResponse:
        """Send a request."""
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._endpoint_name, ContentType=JSON, Accept=JSON, Body=body
            )
            document: PredictionResponse = json.loads(answer["Body"].read())
        except ClientError as error:
            raise self._translated(error) from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise EndpointUnavailableError("The endpoint did not answer in time.") from error
        return document

    def _translated(self, error: ClientError) -> Exception:
        code = error_code(error)
        if code == "ModelError":
            return _model_error(error)
        if code in {"ValidationError", "ValidationException"} and "not found" in error_message(
            error
        ):
            return EndpointUnavailableError(
                "No model is deployed yet; train and deploy one.", is_failure=False
            )
        if code in _TRANSIENT:
            # Who is throttled has asked too much: that says nothing of the model.
            return EndpointUnavailableError(
                "The endpoint is busy or not ready.", is_failure=code not in _THROTTLED
            )
        unexpected: Exception = error
        return unexpected


def _model_error(error: ClientError) -> Exception:
    response: dict[str, Any] = error.response
    status = int(response.get("OriginalStatusCode", 500))
    message = str(response.get("OriginalMessage", ""))
    said = _document(message)
    version = str(said.pop("model_version", ""))
    if status not in _CLIENT_FAULT or status == _TOO_MANY_REQUESTS:
        detail = f"The model failed with status {status}."
        return EndpointUnavailableError(detail, model_version=version)
    return EndpointRefusedError(_problem_of(status, message, said), version)


def _document(message: str) -> dict[str, Any]:
    """Read what the container said, if it is an object."""
    try:
        document: Any = json.loads(message)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _problem_of(status: int, message: str, said: dict[str, Any]) -> Problem:
    if {"type", "title", "status", "detail"} <= said.keys():
        return cast(Problem, said)
    return problem(status, "invalid-request", message or "The model refused the request.")


class QueuedPredictionLog:
    """Predictions go through a queue, and are found in a table once its reader has kept them."""

    def __init__(self, sqs: Any, queue_url: str, dynamodb: Any, table: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._dynamodb = dynamodb
        self._table = table

    def store(self, predictions: Sequence[StoredPrediction]) -> None:
        """Hand predictions to the queue, which keeps them until the log's stores take them."""
        try:
            for message in pack(predictions):
                self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=message)
        except _UNREACHABLE as error:
            raise EndpointUnavailableError("The prediction log takes nothing now.") from error

    def find(self, prediction_id: str) -> StoredPrediction | None:
        """Find a prediction."""
        item = self._dynamodb.get_item(
            TableName=self._table, Key={"prediction_id": {"S": prediction_id}}, ConsistentRead=True
        ).get("Item")
        if item is None:
            return None
        return cast(StoredPrediction, from_item(item))
