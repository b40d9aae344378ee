"""The prediction log loses nothing while its store refuses everything, and costs callers little."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.e2e.journey.queries import rows, run
from tests.e2e.journey.test_from_sources_to_predictions import samples
from tests.e2e.localcloud.conftest import eventually

REQUESTS = 12
WRITES = ("dynamodb:BatchWriteItem", "dynamodb:PutItem")


@pytest.fixture(scope="module")
def instance(bare_platform):
    return next(s["instance"] for s in samples(bare_platform) if all(s["instance"].values()))


def ask(platform, instance) -> tuple[list[str], list[float]]:
    """Ask on and on; give the predictions' ids, and how long each request took."""
    ids, seconds = [], []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        answer = platform.predict(instance, instance)
        seconds.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.text
        ids += [each["prediction_id"] for each in answer.json()["predictions"]]
    return ids, seconds


def found(platform, prediction_id: str) -> bool:
    return platform.http("GET", f"/predictions/{prediction_id}").status_code == 200


def test_a_store_that_refuses_loses_no_prediction_and_delays_no_caller(bare_platform, instance):
    before, usual = ask(bare_platform, instance)
    eventually(lambda: all(found(bare_platform, each) for each in before))
    with (
        bare_platform.without_grant("PredictionLog", WRITES[0]),
        bare_platform.without_grant("PredictionLog", WRITES[1]),
    ):
        meanwhile, slow = ask(bare_platform, instance)
        refused = eventually(
            lambda: [d for d in bare_platform.denials() if "PredictionLog" in d["principal"]]
        )
        assert not any(found(bare_platform, each) for each in meanwhile)
    assert {each["action"] for each in refused} <= set(WRITES)

    eventually(lambda: all(found(bare_platform, each) for each in meanwhile), seconds=90)

    # The same within a factor: what goes on behind the queue is no caller's concern.
    assert statistics.median(slow) < 3 * statistics.median(usual) + 0.1
    names = {**bare_platform.outputs("Foundation"), **bare_platform.outputs("DataPipeline")}
    athena = bare_platform.client("athena")
    sql = "SELECT prediction_id, model_version, probability FROM predictions"
    mine = {*before, *meanwhile}
    in_files = [
        row for row in rows(athena, run(athena, names, sql)) if row["prediction_id"] in mine
    ]
    assert {row["prediction_id"] for row in in_files} == mine
    assert all(0 < float(row["probability"]) < 1 for row in in_files)
    queue = bare_platform.outputs("Foundation")["UndeliveredPredictionQueueUrl"]
    attributes = bare_platform.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
