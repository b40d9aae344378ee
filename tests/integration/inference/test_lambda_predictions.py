"""The API's function through its handler: moto keeps the log, botocore's stub is the endpoint."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambdas.inference.serve_predictions.adapters import DynamoPredictionLog, SageMakerEndpoint
from lambdas.inference.serve_predictions.logic import ApiRequest, Now, PredictionService

EXACT = 0.1 + 0.2
ENDPOINT = "fourblocks-test-demo"


@pytest.fixture
def runtime(world):
    client = boto3.client("sagemaker-runtime", "us-east-1")
    with Stubber(client) as stub:
        yield client, stub


@pytest.fixture
def service(world, runtime):
    ids = iter(f"id-{number}" for number in range(1000))
    return PredictionService(
        endpoint=SageMakerEndpoint(runtime[0], ENDPOINT),
        log=DynamoPredictionLog(world.dynamodb, "predictions"),
        days=30,
        now=lambda: Now("2026-01-01T00:00:00.000Z", 1_000),
        new_id=lambda: next(ids),
    )


def post(instances):
    body = json.dumps({"instances": instances})
    return ApiRequest("POST", "/predictions", body, is_base64=False, correlation_id="c-1")


def find(prediction_id):
    return ApiRequest("GET", f"/predictions/{prediction_id}", None, False, "c-2")


def answering(stub, count):
    predictions = [
        {"probability": EXACT / (n + 1), "base": -1e-300, "members": {}, "missing_sources": []}
        for n in range(count)
    ]
    content = json.dumps({"model_version": "3", "predictions": predictions}).encode()
    body = StreamingBody(io.BytesIO(content), len(content))
    stub.add_response("invoke_endpoint", {"Body": body, "ContentType": "application/json"})


@pytest.mark.parametrize("count", [1, 25, 60])
def test_every_prediction_is_stored_as_it_was_given(service, runtime, count):
    answering(runtime[1], count)
    instances = [{"group": {"number": n}} for n in range(count)]

    given = service.answer(post(instances))

    assert given.status == 200
    assert given.document["model_version"] == "3"
    for instance, prediction in zip(instances, given.document["predictions"], strict=True):
        stored = service.answer(find(prediction["prediction_id"]))
        assert stored.status == 200
        assert stored.document["prediction"] == prediction
        assert stored.document["instance"] == instance
        assert stored.document["model_version"] == "3"


def test_a_prediction_expires_even_before_dynamodb_deletes_it(service, runtime):
    answering(runtime[1], 1)
    service.answer(post([{}]))

    late = PredictionService(
        service.endpoint, service.log, 30, lambda: Now("", 1_000 + 30 * 86_400), service.new_id
    )

    assert service.answer(find("id-0")).status == 200
    assert late.answer(find("id-0")).status == 404


def test_what_the_container_refuses_reaches_the_caller_as_it_said_it(service, runtime):
    said = {
        "type": "t",
        "title": "Bad Request",
        "status": 400,
        "detail": "no such code",
        "errors": [{"pointer": "/instances/0/group/code", "value": "X", "allowed": "A, B"}],
    }
    runtime[1].add_client_error(
        "invoke_endpoint",
        "ModelError",
        http_status_code=424,
        modeled_fields={
            "OriginalStatusCode": 400,
            "OriginalMessage": json.dumps(said),
            "LogStreamArn": "arn",
        },
    )

    answer = service.answer(post([{}]))

    assert (answer.status, answer.document) == (400, said)


@pytest.mark.parametrize(
    ("code", "message", "fields"),
    [
        ("ValidationError", f"Endpoint {ENDPOINT} of account 0 not found.", {}),
        ("ModelError", "", {"OriginalStatusCode": 500, "OriginalMessage": "boom"}),
        ("ServiceUnavailable", "", {}),
        ("ThrottlingException", "", {}),
    ],
)
def test_an_endpoint_without_an_answer_is_unavailable_for_now(
    service, runtime, code, message, fields
):
    runtime[1].add_client_error(
        "invoke_endpoint",
        code,
        service_message=message,
        modeled_fields={**fields, "LogStreamArn": "a"} if fields else None,
    )

    answer = service.answer(post([{}]))

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_denied_call_is_a_fault_of_ours_and_says_so(world, call):
    event = {
        "httpMethod": "GET",
        "path": "/predictions/x",
        "headers": {"x-correlation-id": "mine"},
        "requestContext": {"requestId": "r-1"},
    }
    world.dynamodb.delete_table(TableName="predictions")

    answer = call("inference", "serve_predictions", event)

    assert answer["statusCode"] == 500
    assert answer["headers"]["X-Correlation-Id"] == "mine"
    assert "mine" in json.loads(answer["body"])["detail"]


def test_the_proxy_event_is_answered_in_the_proxy_form(world, call):
    event = {
        "httpMethod": "GET",
        "path": "/predictions/unknown",
        "headers": None,
        "requestContext": {"requestId": "r-1"},
    }

    answer = call("inference", "serve_predictions", event)

    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["X-Correlation-Id"] == "r-1"
    assert json.loads(answer["body"])["status"] == 404
