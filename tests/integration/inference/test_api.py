"""The API's functions through their handlers, on moto: what they tell, take and refuse."""

from __future__ import annotations

import json
import sys

import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.items import to_item
from pipeline_code.data_pipeline.contract import label_bucket
from stacks.common.api_document import api_document, layer_files

BLOCK = "inference"
ME = "arn:aws:iam::123456789012:user/me"
DATASET = "d" * 64


@pytest.fixture(autouse=True)
def layer(tmp_path, monkeypatch):
    """Put the API's document where its layer would."""
    package = tmp_path / "api_document"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, content in layer_files(api_document("flight_delays")).items():
        (package / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("api_document", "lambdas.inference.documented"):
        sys.modules.pop(name, None)


@pytest.fixture
def machine(world, monkeypatch):
    """The deployment workflow, and what it was started with."""
    arn = world.stepfunctions.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    monkeypatch.setenv("DEPLOYMENT_WORKFLOW", arn)
    return lambda: [
        json.loads(
            world.stepfunctions.describe_execution(executionArn=each["executionArn"])["input"]
        )
        for each in world.stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    ]


def event(method, resource, body=None, query=None, headers=None, **parameters):
    return {
        "httpMethod": method,
        "resource": resource,
        "path": resource.replace("+}", "}").format(**parameters),
        "pathParameters": parameters or None,
        "queryStringParameters": query,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "requestContext": {"requestId": "request-1", "identity": {"userArn": ME}},
    }


def answered(answer):
    return answer["statusCode"], json.loads(answer["body"])


def register(world, version, state="retired", **more):
    record = {
        "pk": "MODEL#demo",
        "sk": f"V#{version:08d}",
        "version": version,
        "model_id": f"m-{version}",
        "state": state,
        "dataset_id": DATASET,
        "registered_at": "2026-01-01T00:00:00.000Z",
        "verdict": "promoted",
        "reasons": ["better"],
        "metrics": {"auc": 0.75},
        "artefact_uri": "s3://model-store/secret",
        **more,
    }
    world.dynamodb.put_item(TableName="models", Item=to_item(record))


def serve(world, version, replaced=None):
    item = {
        "pk": "MODEL#demo",
        "sk": "SERVING",
        "version": version,
        "execution_arn": "e",
        "replaced_version": replaced,
    }
    world.dynamodb.put_item(TableName="models", Item=to_item(item))


def deployed(world, *versions):
    """Record deployments, one a minute from noon."""
    times = iter(f"2026-01-01T12:{number:02d}:00.000Z" for number in range(60))
    ledger = DynamoLedger(world.dynamodb, "ledger", "demo", lambda: next(times))
    for version in versions:
        for kind in ("model_deployed", "model_trained"):
            ledger.append(
                {
                    "event_type": kind,
                    "actor": "me",
                    "reason": "r",
                    "subject": f"v{version}",
                    "evidence": {},
                    "token": f"{kind}:{version}",
                }
            )


def predicted(world, prediction_id, version="1", **more):
    item = {
        "prediction_id": prediction_id,
        "model_version": version,
        "created_at": "2026-01-01T00:00:00.000Z",
        "correlation_id": "c-1",
        "expires_at": 4_000_000_000,
        **more,
    }
    world.dynamodb.put_item(TableName="predictions", Item=to_item(item))


def read(call, *request, **more):
    return answered(call(BLOCK, "read_records", event("GET", *request, **more)))


def test_models_come_in_pages_newest_first_without_where_they_are_kept(world, call):
    for version in range(1, 6):
        register(world, version)

    status, page = read(call, "/models", query={"limit": "2"})
    assert status == 200
    assert [each["version"] for each in page["models"]] == [5, 4]
    assert page["next"] == 4
    assert "secret" not in json.dumps(page)

    _, rest = read(call, "/models", query={"before": "4"})
    assert ([each["version"] for each in rest["models"]], rest["next"]) == ([3, 2, 1], None)


def test_a_bad_number_is_refused_by_its_name(world, call):
    for query in ({"limit": "0"}, {"limit": "101"}, {"before": "x"}, {"limit": "٣"}):
        status, document = read(call, "/models", query=query)
        assert (status, document["errors"][0]["pointer"]) == (400, next(iter(query)))


def test_a_version_is_found_or_not_there(world, call):
    register(world, 7)
    assert read(call, "/models/{version}", version="7")[1]["model_id"] == "m-7"
    assert read(call, "/models/{version}", version="8")[0] == 404
    assert read(call, "/models/{version}", version="seven")[0] == 400


SERVED = {
    "2026-01-01T11:59:59Z": None,
    "2026-01-01T12:00:00Z": 1,
    "2026-01-01T12:01:59.999999Z": 1,
    "2026-01-01T12:02:00Z": 2,
    "2027-01-01T00:00:00Z": 3,
}


def test_what_served_at_a_time(world, call):
    deployed(world, 1, 2, 3)
    for at, version in SERVED.items():
        _, document = read(call, "/deployments", query={"at": at})
        assert [each["version"] for each in document["deployments"]] == [version] * bool(version)
        if version in (1, 2):
            assert document["deployments"][0]["to"] == f"2026-01-01T12:0{version * 2}:00.000Z"


def test_all_deployments_newest_first_each_until_the_next(world, call):
    deployed(world, 1, 2, 3)
    _, document = read(call, "/deployments", query={"limit": "2"})
    told = [(each["version"], each["to"]) for each in document["deployments"]]
    assert told == [(3, None), (2, "2026-01-01T12:04:00.000Z")]
    assert read(call, "/deployments", query={"at": "yesterday"})[0] == 400


def test_a_prediction_is_traced_to_its_files_and_commit(world, call):
    register(world, 1, code_commit="b" * 40)
    predicted(world, "p-1")
    manifest = {
        "provenance": {
            "code_commit": "a" * 40,
            "engine": "glue",
            "objects": [{"source": "s", "key": "landing/s/f.csv", "version_id": "1"}],
        }
    }
    uri = world.put("model-input", f"datasets/{DATASET}/manifest.json", manifest)
    record = {
        "pk": "DATASET#demo",
        "sk": DATASET,
        "manifest_uri": uri,
        "published_at": "2026-01-01T00:00:00.000Z",
        "code_version": "v",
        "batch_id": "b",
        "run_id": "r",
    }
    world.dynamodb.put_item(TableName="metadata", Item=to_item(record))

    status, lineage = read(call, "/predictions/{prediction_id}/lineage", prediction_id="p-1")
    assert status == 200
    assert lineage["model"]["code_commit"] == "b" * 40
    assert lineage["dataset"]["code_commit"] == "a" * 40
    assert lineage["dataset"]["objects"][0]["key"] == "landing/s/f.csv"
    assert lineage["correlation_id"] == "c-1"

    world.s3.delete_object(Bucket="model-input", Key=f"datasets/{DATASET}/manifest.json")
    _, expired = read(call, "/predictions/{prediction_id}/lineage", prediction_id="p-1")
    assert expired["dataset"]["expired"] is True
    assert read(call, "/predictions/{prediction_id}/lineage", prediction_id="p-2")[0] == 404


def test_the_document_and_what_is_not_in_it(world, call):
    status, document = read(call, "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    unknown = call(BLOCK, "read_records", event("GET", "/{elsewhere+}", elsewhere="x"))
    assert answered(unknown)[0] == 404
    wrong = call(BLOCK, "read_records", event("DELETE", "/models"))
    assert answered(wrong)[0] == 405
    assert wrong["headers"]["Allow"] == "GET"
    assert wrong["headers"]["X-Correlation-Id"] == "request-1"


def ask_rollback(call, body, **headers):
    return call(BLOCK, "request_rollback", event("POST", "/rollbacks", body, headers=headers))


def test_a_rollback_starts_the_workflow_once_a_key_as_whoever_asked(world, call, machine):
    register(world, 1)
    register(world, 2, "deployed")
    serve(world, 2, replaced=1)
    headers = {"Idempotency-Key": "k", "X-Correlation-Id": "trace-1"}
    wish = {"to": "previous", "reason": " worse \n"}

    first, second = (ask_rollback(call, wish, **headers) for _ in range(2))

    assert first["statusCode"] == 202
    assert first["body"] == second["body"]
    assert second["headers"]["Idempotency-Replayed"] == "true"
    assert ":trace-1-" in json.loads(first["body"])["execution_arn"]
    assert machine() == [
        {
            "kind": "rollback",
            "version": "previous",
            "reason": "worse",
            "requested_by": ME,
            "correlation_id": "trace-1",
        }
    ]


NO_WAY_BACK = [
    ({"to": 9, "reason": "r"}, 404, "no version 9"),
    ({"to": 2, "reason": "r"}, 409, "is what serves"),
    ({"to": 3, "reason": "r"}, 409, "it must be approved"),
    ({"to": "previous", "reason": "r"}, 409, "replaced nothing"),
    ({"to": 1}, 400, "reason"),
    ({"to": 1, "reason": "  "}, 400, "reason"),
    ({"to": "next", "reason": "r"}, 400, "to"),
    ({"to": 1, "reason": "r", "more": 1}, 400, "more"),
    ("{", 400, "JSON"),
    ("[]", 400, "the document"),
    ('{"to": NaN, "reason": "r"}', 400, "NaN"),
]


def test_a_way_back_that_is_none_is_refused(world, call, machine):
    register(world, 2, "deployed")
    register(world, 3, "blocked")
    serve(world, 2)
    for body, status, said in NO_WAY_BACK:
        got, document = answered(ask_rollback(call, body))
        assert got == status, body
        assert said in document["detail"]
    assert machine() == []


def test_before_the_first_deployment_there_is_no_way_back(world, call, machine):
    assert answered(ask_rollback(call, {"to": 1, "reason": "r"}))[0] == 409


def label(reference, value=1):
    return {"reference": reference, "label": value, "known_at": "2026-01-02T00:00:00Z"}


@pytest.fixture
def awaiting(world):
    """Predictions that await the outcome of an entity, in the index that finds them."""
    world.dynamodb.update_table(
        TableName="predictions",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("prediction_id", "awaiting_outcome", "entity_id")
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "awaiting_outcome",
                    "KeySchema": [
                        {"AttributeName": "awaiting_outcome", "KeyType": "HASH"},
                        {"AttributeName": "entity_id", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    for prediction_id in ("p-1", "p-2"):
        predicted(world, prediction_id, entity_id="e-1", awaiting_outcome=label_bucket("e-1"))
    predicted(world, "p-3")


def test_an_outcome_reaches_all_predictions_that_await_it_once(world, call, awaiting):
    body = {"labels": [label("e-1"), label("e-2")]}
    first = call(BLOCK, "record_labels", event("POST", "/labels", body))
    again = call(BLOCK, "record_labels", event("POST", "/labels", {"labels": [label("e-1", 0)]}))

    assert answered(first) == (200, {"recorded": 2, "awaited_by_none": ["e-2"]})
    assert answered(again) == (200, {"recorded": 0, "awaited_by_none": ["e-1"]})
    stored = world.dynamodb.get_item(TableName="predictions", Key={"prediction_id": {"S": "p-1"}})[
        "Item"
    ]
    assert stored["outcome_label"] == {"N": "1"}
    assert "awaiting_outcome" not in stored


BAD_LABELS = [
    ([], "/labels"),
    ([label("")], "/labels/0/reference"),
    ([label("e"), label("e", 2)], "/labels/1/label"),
    ([{**label("e"), "known_at": "now"}], "/labels/0/known_at"),
    ([label("e")] * 501, "/labels"),
]


def test_a_bad_label_is_named(world, call):
    for labels, pointer in BAD_LABELS:
        status, document = answered(
            call(BLOCK, "record_labels", event("POST", "/labels", {"labels": labels}))
        )
        assert (status, document["errors"][0]["pointer"]) == (400, pointer)
