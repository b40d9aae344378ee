"""The API's decisions: predictions by their ids, answers kept once, refusals by field."""

from __future__ import annotations

import gzip
import json

import pytest

from lambdas.common.api import ApiRequest
from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import DECISION_COLUMNS, MAX_DECIDED_AT_ONCE
from lambdas.inference.decide.logic import DecisionService, logged_prediction
from lambdas.inference.decisions import keep_decision
from pipeline_code.inference.decision_policy import Candidate, read_policy
from pipeline_code.inference.decisions import Decider
from pipeline_code.yaml_node import Node

POLICY = read_policy(
    Node(
        "decision.yaml",
        {
            "version": 1,
            "currency": "USD",
            "time_limit_seconds": 5,
            "actions": {"help": {"effect": 0.5, "cost": 10, "description": "…"}},
            "limits": {"helpers": {"actions": ["help"], "capacity": 1, "description": "…"}},
        },
    )
)


class FakeCode:
    def candidates(self, instances, probabilities, policy):
        return [
            Candidate(probability or 0.5, (probability or 0.5) * instance["stake"], {}, ("help",))
            for instance, probability in zip(instances, probabilities, strict=True)
        ]


class FakePredictions:
    def find(self, prediction_ids):
        stored = {
            name: logged_prediction(
                {
                    "prediction_id": name,
                    "instance": json.dumps({"stake": stake}),
                    "answer": json.dumps({"probability": 0.25}),
                    **({"entity_id": "entity of p1"} if name == "p1" else {}),
                }
            )
            for name, stake in (("p1", 1000), ("p2", 400))
        }
        return {name: stored[name] for name in prediction_ids if name in stored}


class FakeStore:
    def __init__(self):
        self.records, self.documents, self.rows = {}, {}, {}

    def find(self, decision_id):
        return self.records.get(decision_id)

    def read(self, record):
        return json.loads(self.documents[record["document_uri"]])

    def write(self, decision_id, document, rows, day):
        uri = f"s3://b/{decision_id}"
        self.documents[uri] = document
        self.rows[day, decision_id] = rows
        return uri

    def commit(self, record):
        return self.records.setdefault(record["decision_id"], record) is record


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def service(store):
    times = iter(f"2026-01-0{day}T00:00:00.000Z" for day in range(1, 9))
    return DecisionService(
        Decider(POLICY, FakeCode()), FakePredictions(), store, lambda: next(times)
    )


def ask(service, document, *, method="POST", path="/decisions"):
    body = document if isinstance(document, str) else json.dumps(document)
    return service.answer(ApiRequest(method, path, body, is_base64=False, correlation_id="c"))


def refused(service, *arguments, **options):
    with pytest.raises(RefusedError) as refusal:
        ask(service, *arguments, **options)
    return refusal.value.problem


def test_predictions_are_decided_about_by_their_ids(service):
    answer = ask(service, {"predictions": [{"prediction_id": "p1"}, {"prediction_id": "p2"}]})

    by_entity = {one["entity_id"]: one for one in answer.document["decisions"]}
    assert by_entity["entity of p1"]["action"] == "help"
    assert by_entity["entity of p1"]["prediction_id"] == "p1"
    assert by_entity["p2"]["action"] is None
    assert answer.document["net"] == 0.5 * 0.25 * 1000 - 10


def test_what_is_done_already_counts(service):
    named = [{"prediction_id": "p1"}, {"prediction_id": "p2", "action": "help"}]

    answer = ask(service, {"predictions": named})

    actions = {one["entity_id"]: one["action"] for one in answer.document["decisions"]}
    assert actions == {"entity of p1": None, "p2": "help"}


def test_an_answer_is_kept_once_and_found_by_its_id(service, store):
    request = {"predictions": [{"prediction_id": "p1"}]}

    first, again = ask(service, request), ask(service, request)
    found = ask(service, "", method="GET", path=f"/decisions/{first.document['decision_id']}")

    assert first.document == again.document == found.document
    assert first.document["decided_at"] == "2026-01-01T00:00:00.000Z"
    ((day, _),) = store.rows
    assert day == "2026-01-01"


def test_texts_that_no_store_takes_as_they_are_come_back_as_they_were(service):
    item = {"entity_id": "\ud800", "probability": 0.5, "instance": {"stake": 100}}

    answer = ask(service, {"predictions": [item]}).document
    found = ask(service, "", method="GET", path=f"/decisions/{answer['decision_id']}")

    assert found.document["decisions"][0]["entity_id"] == "\ud800"


def test_each_entity_is_a_row_with_the_catalog_s_columns(service, store):
    ask(service, {"predictions": [{"prediction_id": "p1"}, {"prediction_id": "p2"}]})

    ((_, rows),) = store.rows.items()
    read = [json.loads(line) for line in gzip.decompress(rows).decode().splitlines()]
    assert [list(row) for row in read] == [list(DECISION_COLUMNS)] * 2


def test_the_answer_of_a_job_is_kept_like_any_other(service, store):
    request = {"predictions": [{"prediction_id": "p1"}]}
    answer = ask(service, request).document
    by_job = {name: value for name, value in answer.items() if name != "decided_at"}

    kept = keep_decision(by_job, store, lambda: "later")

    assert kept.document == answer
    assert kept.record["net"] == answer["net"]


@pytest.mark.parametrize(
    ("document", "status", "pointer"),
    [
        ({"predictions": [{"prediction_id": "p9"}]}, 404, "/predictions/0/prediction_id"),
        ({"predictions": [{"prediction_id": "p1", "stake": 3}]}, 400, "/predictions/0/entity_id"),
        ({"predictions": [{"prediction_id": ""}]}, 400, "/predictions/0/entity_id"),
        ({"predictions": [{}]}, 400, "/predictions/0/entity_id"),
        ({"predictions": [{"prediction_id": "p1"}] * 2}, 400, "/predictions/1/entity_id"),
        ({"predictions": [{"prediction_id": "\ud800"}]}, 400, "/predictions/0/entity_id"),
        ({"predictions": None}, 400, "/predictions"),
        ([], 400, ""),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_its_field(service, document, status, pointer):
    said = refused(service, document)

    assert said["status"] == status
    assert said["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("document", "options", "status"),
    [
        ('{"predictions": [{"probability": NaN}]}', {}, 400),
        ("", {}, 400),
        ({"predictions": [], "later": [{}] * (MAX_DECIDED_AT_ONCE + 1)}, {}, 413),
        ("", {"method": "GET", "path": "/decisions/d-unknown"}, 404),
        ("", {"method": "GET", "path": f"/decisions/{'d' * 2000}"}, 404),
        ("", {"method": "DELETE"}, 405),
        ("", {"method": "PUT", "path": "/decisions/d-1"}, 405),
        ("", {"method": "GET", "path": "/decisions/d-1/more"}, 404),
    ],
)
def test_other_refusals_have_their_status(service, document, options, status):
    assert refused(service, document, **options)["status"] == status
