"""SageMaker's runtime: a request goes to a container, its answer comes back."""

from __future__ import annotations

import time
from collections.abc import Mapping

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as NoAnswerError

from localcloud.registry import Call, ServiceError
from localcloud.sagemaker.capture import Exchange
from localcloud.sagemaker.endpoints import Endpoints
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.invocation_metrics import record_invocation
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.serving import ServingContainer
from localcloud.sagemaker.traffic import Place, UnknownVariantError
from localcloud.sagemaker.variant import Variant

TIMEOUT_SECONDS = 60.0
SUCCESS = range(200, 300)
SERVER_ERRORS = 500
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class Runtime:
    """Invokes endpoints."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def invoke(self, call: Call) -> Document:
        """Send a request to the container that a variant's weight chooses."""
        scope, name = Scope.of(call), call.parameters["EndpointName"]
        routes = self._endpoints.routes(scope, name)
        if routes is None:
            raise self._missing(scope, name)
        target = call.parameters.get("TargetVariant")
        try:
            with routes.place(target) as place:
                _copy(name, place, call)
                return _measured(name, place, call)
        except UnknownVariantError as error:
            raise _refusal(f"Variant {target} of endpoint {name} not found.") from error

    def _missing(self, scope: Scope, name: str) -> ServiceError:
        if self._endpoints.exists(scope, name):
            return _unavailable(name)
        return _refusal(f"Endpoint {name} of account {scope.account} not found.")


def _copy(name: str, place: Place, call: Call) -> None:
    """Offer a copy to the shadow, whose answers and failures only metrics and captures tell."""

    def send(shadow: Variant) -> None:
        instance = shadow.choose()
        if instance:
            instance.enter()
        try:
            _measured(name, Place(shadow, instance, place.fleet), call)
        finally:
            if instance:
                instance.leave()

    if place.fleet.shadow:
        place.fleet.shadow.offer(send)


def _measured(name: str, place: Place, call: Call) -> Document:
    """Answer a request, and tell CloudWatch how it went."""
    started, status = time.perf_counter(), 500
    try:
        document = _through(place, call)
        status = 200
    except ServiceError as error:
        status = error.fields.get("OriginalStatusCode", error.status)
        raise
    finally:
        instances = len(place.variant.instances)
        seconds = time.perf_counter() - started
        record_invocation(name, place.variant.name, status, seconds, instances)
    return document


def _through(place: Place, call: Call) -> Document:
    if place.instance is None:
        raise _unavailable(call.parameters["EndpointName"])
    response = _through_all(place.instance, call)
    _capture(place, call, response)
    return {
        "Body": response.data,
        "ContentType": response.headers.get("Content-Type"),
        "InvokedProductionVariant": place.variant.name,
        "CustomAttributes": response.headers.get(ATTRIBUTES),
    }


def _capture(place: Place, call: Call, response: BaseHTTPResponse) -> None:
    fleet = place.fleet
    if not fleet.capture:
        return
    exchange = Exchange(
        call.parameters.get("Body", b""),
        call.parameters.get("ContentType", ""),
        response.data,
        response.headers.get("Content-Type", ""),
        call.parameters.get("InferenceId"),
        response.headers.get(ATTRIBUTES),
    )
    mirrored = fleet.shadow is not None and fleet.shadow.variant is place.variant
    fleet.capture.record(place.variant.name, exchange, mirrored=mirrored)


def _through_all(instance: Instance, call: Call) -> BaseHTTPResponse:
    """Send a request through the containers: each gets what the one before has answered."""
    first, *others = instance.containers
    headers = _headers(call)
    accept = headers.pop("Accept", None) if others else None
    response = _answered(first, call, call.parameters.get("Body", b""), headers)
    for container in others:
        headers["Content-Type"] = response.headers.get("Content-Type", "")
        if container is others[-1] and accept:
            headers["Accept"] = accept  # what the client wants is the last one's to give
        response = _answered(container, call, response.data, headers)
    return response


def _answered(
    container: ServingContainer, call: Call, body: bytes, headers: Mapping[str, str]
) -> BaseHTTPResponse:
    response = _send(container, call, body, headers)
    if response.status not in SUCCESS:
        raise _model_error(Scope.of(call), container, response.status, response.data)
    return response


def _send(
    container: ServingContainer, call: Call, body: bytes, headers: Mapping[str, str]
) -> BaseHTTPResponse:
    scope = Scope.of(call)
    try:
        return container.connections.request(
            "POST",
            "/invocations",
            body=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            retries=False,
        )
    except NewConnectionError as error:
        raise _unavailable(call.parameters["EndpointName"]) from error
    except NoAnswerError as error:
        text = "Your invocation timed out while waiting for a response from container"
        raise _model_error(scope, container, 0, f"{text} {container.label}.".encode()) from error
    except HTTPError as error:
        closed = b"The container closed the connection before it answered."
        raise _model_error(scope, container, 0, closed) from error


def _headers(call: Call) -> dict[str, str]:
    given = {
        "Content-Type": call.parameters.get("ContentType"),
        "Accept": call.parameters.get("Accept"),
        ATTRIBUTES: call.parameters.get("CustomAttributes"),
        "X-Amzn-SageMaker-Inference-Id": call.parameters.get("InferenceId"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _model_error(
    scope: Scope, container: ServingContainer, status: int, body: bytes
) -> ServiceError:
    text = body.decode("utf-8", "replace")
    kind = "client" if 0 < status < SERVER_ERRORS else "server"
    group = container.log_group
    message = (
        f'Received {kind} error ({status}) from {container.label} with message "{text}". See '
        f"https://{scope.region}.console.aws.amazon.com/cloudwatch/home?region={scope.region}"
        f"#logEventViewer:group={group} in account {scope.account} for more information."
    )
    stream = (
        f"arn:aws:logs:{scope.region}:{scope.account}:log-group:{group}"
        f":log-stream:{container.log_stream}"
    )
    fields = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": stream}
    return ServiceError("ModelError", message, 424, fields)


def _unavailable(name: str) -> ServiceError:
    message = f"Endpoint {name} has no healthy instance at the moment."
    return ServiceError("ServiceUnavailable", message, 503)


def _refusal(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
