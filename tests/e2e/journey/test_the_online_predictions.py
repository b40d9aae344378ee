"""Predictions by entity alone equal those with the inputs in the request, bit for bit."""

from __future__ import annotations

import io
import json

import pyarrow.parquet as pq
import pytest

from tests.e2e.localcloud.conftest import eventually

ASKED = 40
DARK = ("2013-12-31", "2014-01-01")
"""The last day, in UTC: its weather never came."""


@pytest.fixture(scope="module")
def entities(bare_platform) -> list[str]:
    """The newest entities that the online store holds, from the latest dataset's last month."""
    outputs = bare_platform.outputs("Foundation")
    prefix = bare_platform.outputs("DataPipeline")["FeatureGroupPrefix"]
    s3 = bare_platform.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=outputs["AnalyticsBucketName"], Prefix=f"features/{prefix}-schedule-"
    )
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    newest = max(keys, key=lambda key: key.split("/year=")[1])
    body = s3.get_object(Bucket=outputs["AnalyticsBucketName"], Key=newest)["Body"].read()
    table = pq.read_table(io.BytesIO(body), columns=["entity_id", "event_time"])
    ordered = table.sort_by([("event_time", "descending"), ("entity_id", "ascending")])
    return ordered.column("entity_id").to_pylist()[:ASKED]


def ask(platform, document) -> list[dict]:
    answer = platform.http("POST", "/predictions", json.dumps(document).encode())
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def found(platform, prediction_id) -> dict:
    path = f"/predictions/{prediction_id}"
    return eventually(
        lambda: platform.http("GET", path), lambda answer: answer.status_code == 200
    ).json()


def test_by_entity_the_answer_is_the_one_that_its_inputs_get(bare_platform, entities):
    by_entity = ask(bare_platform, {"entities": entities})
    stored = [found(bare_platform, each["prediction_id"]) for each in by_entity]

    by_inputs = ask(bare_platform, {"instances": [each["instance"] for each in stored]})

    same = ("probability", "base", "members", "missing_sources")
    assert [{k: p[k] for k in same} for p in by_entity] == [
        {k: p[k] for k in same} for p in by_inputs
    ]
    assert [each["reference"] for each in stored] == entities
    assert all(entity.startswith(DARK) for entity in entities)
    assert all(prediction["missing_sources"] == ["weather"] for prediction in by_entity)


def test_an_entity_that_nobody_knows_is_refused(bare_platform, entities):
    body = json.dumps({"entities": [entities[0], "nobody"]}).encode()

    answer = bare_platform.http("POST", "/predictions", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/entities/1"


def test_a_prediction_is_explained_and_decided_about_by_command(bare_platform, entities):
    (prediction,) = ask(bare_platform, {"entities": entities[:1]})
    found(bare_platform, prediction["prediction_id"])

    told = bare_platform.command("explain", prediction["prediction_id"])
    decided = bare_platform.command("decide", "--sample", "5")

    assert f"{prediction['probability']:.1%}" in told
    assert entities[0] in told
    assert all(name in told for name in prediction["members"])
    assert "Decision d-" in decided


def test_predictions_are_decided_about_by_their_ids(bare_platform, entities):
    predictions = ask(bare_platform, {"entities": entities[:5]})
    for each in predictions:
        found(bare_platform, each["prediction_id"])
    named = [{"prediction_id": each["prediction_id"]} for each in predictions]

    answer = bare_platform.http(
        "POST", "/decisions", json.dumps({"predictions": named}).encode()
    ).json()

    assert {one["prediction_id"] for one in answer["decisions"]} == {
        each["prediction_id"] for each in predictions
    }
    assert {one["entity_id"] for one in answer["decisions"]} == set(entities[:5])
