"""The API's function through its handler: moto keeps the log, botocore's stub is the endpoint."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambdas.inference.serve_predictions.adapters import QueuedPredictionLog, SageMakerEndpoint
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
        log=QueuedPredictionLog(world.sqs, world.prediction_queue, world.dynamodb, "predictions"),
        inputs=None,
        days=30,
        now=lambda: Now("2026-01-01T00:00:00.000Z", 1_000),
        new_id=lambda: next(ids),
    )


@pytest.fixture
def deliver(world, call):
    """Hand the queue's messages to the function that reads it, as Lambda does."""

    def read(receives=1):
        received = world.sqs.receive_message(
            QueueUrl=world.prediction_queue,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            WaitTimeSeconds=0 if receives == 1 else 10,  # what came back is hidden for a while
        ).get("Messages", [])
        records = [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "body": each["Body"],
            }
            for each in received
        ]
        answer = call("inference", "log_predictions", {"Records": records}, Context())
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for each in received:
            if each["MessageId"] not in failed:
                world.sqs.delete_message(
                    QueueUrl=world.prediction_queue, ReceiptHandle=each["ReceiptHandle"]
                )
        return failed

    return read


class Context:
    """Lambda's context, with all the time that there is."""

    def get_remaining_time_in_millis(self):
        return 120_000


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
def test_every_prediction_is_stored_as_it_was_given(service, runtime, world, deliver, count):
    answering(runtime[1], count)
    instances = [{"group": {"number": n}} for n in range(count)]

    given = service.answer(post(instances))

    assert given.status == 200
    assert given.document["model_version"] == "3"
    assert deliver() == set()
    (file,) = world.s3.list_objects_v2(Bucket="analytics-store", Prefix="predictions/")["Contents"]
    assert file["Key"].startswith("predictions/day=2026-01-01/")
    for instance, prediction in zip(instances, given.document["predictions"], strict=True):
        stored = service.answer(find(prediction["prediction_id"]))
        assert stored.status == 200
        assert stored.document["prediction"] == prediction
        assert stored.document["instance"] == instance
        assert stored.document["model_version"] == "3"


def test_while_a_store_is_down_predictions_wait_and_none_is_lost(service, runtime, world, deliver):
    answering(runtime[1], 2)
    given = service.answer(post([{}, {}])).document["predictions"]
    world.s3.delete_bucket(Bucket="analytics-store")

    assert len(deliver()) == 1

    world.s3.create_bucket(Bucket="analytics-store")
    assert deliver(receives=2) == set()
    assert deliver() == set()
    for prediction in given:
        assert service.answer(find(prediction["prediction_id"])).status == 200
    files = world.s3.list_objects_v2(Bucket="analytics-store", Prefix="predictions/")["Contents"]
    assert len(files) == 1


def test_what_nobody_takes_is_no_answer(service, runtime, world):
    answering(runtime[1], 1)
    world.sqs.delete_queue(QueueUrl=world.prediction_queue)

    answer = service.answer(post([{}]))

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_prediction_expires_even_before_dynamodb_deletes_it(service, runtime, deliver):
    answering(runtime[1], 1)
    service.answer(post([{}]))
    deliver()

    late = PredictionService(
        service.endpoint,
        service.log,
        None,
        30,
        lambda: Now("", 1_000 + 30 * 86_400),
        service.new_id,
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
