"""The API's checks: whatever is wrong with a request is told, and never a fault of ours."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.api_body import MAX_BODY_BYTES
from lambdas.inference.serve_predictions.identifiers import uuid7
from lambdas.inference.serve_predictions.logic import ApiRequest, Now, PredictionService
from lambdas.inference.serve_predictions.refusals import EndpointUnavailableError
from pipeline_code.inference.contract import MAX_INSTANCES


class FakeEndpoint:
    """Answers every instance, or fewer than asked."""

    def __init__(self, missing=0):
        self.missing = missing
        self.asked = []

    def ask(self, body):
        self.asked.append(body)
        count = len(json.loads(body)["instances"]) - self.missing
        return {"model_version": "1", "predictions": [{"probability": 0.5}] * count}


class FakePredictionLog:
    """Keeps predictions in memory, or is overloaded."""

    def __init__(self, *, overloaded=False):
        self.overloaded = overloaded
        self.stored = {}

    def store(self, predictions):
        if self.overloaded:
            raise EndpointUnavailableError("The prediction log is overloaded.")
        self.stored.update({entry["prediction_id"]: entry for entry in predictions})

    def find(self, prediction_id):
        return self.stored.get(prediction_id)


KNOWN = {
    "whole": {"identity": {"shop": "north", "visitors": 3}, "sensor": {"level": 0.1}},
    "dark": {"identity": {"shop": "south", "visitors": 1}, "sensor": None},
}


class FakeInputs:
    """Knows some entities; of a few, it knows not all groups."""

    def find(self, entities):
        nothing = {"identity": None, "sensor": None}
        return [KNOWN.get(entity, nothing) for entity in entities]


def make_service(endpoint=None, log=None):
    ids = iter(f"id-{number}" for number in range(MAX_INSTANCES * 2))
    return PredictionService(
        endpoint or FakeEndpoint(),
        log or FakePredictionLog(),
        FakeInputs(),
        days=1,
        now=lambda: Now("now", 0),
        new_id=lambda: next(ids),
    )


def ask(body, *, method="POST", path="/predictions", is_base64=False, service=None):
    request = ApiRequest(method, path, body, is_base64, "c")
    return (service or make_service()).answer(request)


def instances(count):
    return json.dumps({"instances": [{"group": {}}] * count})


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (None, 400, "empty"),
        ("  ", 400, "empty"),
        ('{"instances": [}', 400, "line 1, column 16"),
        ('{"instances":\n [{"a": NaN}]}', 400, "NaN is not a JSON number"),
        ("\ud800", 400, "not UTF-8"),
        ("[" * 100_000, 400, "nested too deeply"),
        ('{"instances": [{"a": ' + "9" * 5000 + "}]}", 400, "not usable"),
        ("[]", 400, "must be an object"),
        (json.dumps({"entities": ["a\nb"]}), 400, "/entities/0 must be"),
        (json.dumps({"entities": ["a", "b\u2028"]}), 400, "in one line"),
        ("{}", 400, "/instances must be a list"),
        ('{"instances": []}', 400, "at least one"),
        ('{"instances": [{}, 3]}', 400, "/instances/1 must be an object"),
        ('{"instances": [{}], "extra": 1}', 400, "/extra"),
        (instances(MAX_INSTANCES + 1), 413, f"at most {MAX_INSTANCES}"),
        ("x" * (MAX_BODY_BYTES + 1), 413, f"at most {MAX_BODY_BYTES}"),
        ("x" * 1_048_576, 413, "bytes"),
    ],
)
def test_a_bad_body_is_told_what_is_wrong(body, status, said):
    endpoint = FakeEndpoint()
    answer = ask(body, service=make_service(endpoint))

    assert answer.status == answer.document["status"] == status
    assert said in answer.document["detail"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert endpoint.asked == []


@given(st.text(max_size=200))
def test_no_text_at_all_is_a_fault_of_ours(body):
    assert ask(body).status < 500


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_no_document_at_all_is_a_fault_of_ours(document):
    assert ask(json.dumps({"instances": document})).status < 500
    assert ask(json.dumps(document)).status < 500


def test_the_limits_themselves_are_allowed():
    assert ask(instances(MAX_INSTANCES)).status == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 200),
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("x" * 5000, 415),
        (" ;;", 200),
    ],
)
def test_only_json_is_taken(content_type, status):
    request = ApiRequest("POST", "/predictions", instances(1), False, "c", content_type)
    answer = make_service().answer(request)
    assert answer.status == status
    assert status == 200 or "send application/json" in answer.document["detail"]


def test_a_base64_body_is_decoded():
    encoded = base64.b64encode(instances(1).encode()).decode()
    assert ask(encoded, is_base64=True).status == 200
    assert ask("%%%", is_base64=True).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/predictions", 405, "POST"),
        ("DELETE", "/predictions/id", 405, "GET"),
        ("POST", "/elsewhere", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/predictions/a/b", 404, None),
        ("GET", "/predictions/unknown", 404, None),
        ("GET", "/predictions/" + "x" * 5000, 404, None),
    ],
)
def test_unknown_paths_and_methods_are_told(method, path, status, allow):
    answer = ask(None, method=method, path=path)
    assert answer.status == status
    assert answer.headers.get("Allow") == allow


def test_a_trailing_slash_does_not_matter():
    assert ask(instances(1), path="/predictions/").status == 200


def test_the_container_gets_the_very_bytes_of_the_caller():
    endpoint = FakeEndpoint()
    body = '{"instances":  [{"x": 1.10}]}'
    ask(body, service=make_service(endpoint))
    assert endpoint.asked == [body.encode()]


def test_an_answer_is_given_only_when_it_is_stored():
    answer = ask(instances(1), service=make_service(log=FakePredictionLog(overloaded=True)))
    assert answer.status == 503


def test_an_endpoint_that_answers_too_little_is_broken():
    log = FakePredictionLog()
    answer = ask(instances(3), service=make_service(FakeEndpoint(missing=1), log))
    assert (answer.status, log.stored) == (502, {})


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ids_are_version_7_and_sort_by_time(milliseconds, randomness):
    identifier = uuid7(milliseconds, randomness)
    assert re.match(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-", identifier)
    assert int(identifier.replace("-", "")[:12], 16) == milliseconds


def test_a_reference_is_kept_beside_its_prediction_and_not_told_to_the_model():
    endpoint, log = FakeEndpoint(), FakePredictionLog()
    body = {**json.loads(instances(2)), "references": ["entity-1", None]}

    response = ask(json.dumps(body), service=make_service(endpoint, log))

    assert response.status == 200
    assert json.loads(endpoint.asked[-1]) == json.loads(instances(2))
    first, second = log.stored.values()
    assert first["entity_id"] == "entity-1"
    assert first["awaiting_outcome"] in "0123456789abcdef"
    assert {"entity_id", "awaiting_outcome"}.isdisjoint(second)


@pytest.mark.parametrize(
    ("references", "said"),
    [
        (["one", "two"], "/references"),
        ("one", "/references"),
        ([""], "/references/0"),
        (["x" * 257], "/references/0"),
        ([7], "/references/0"),
    ],
)
def test_a_bad_reference_is_told_where_it_stands(references, said):
    response = ask(json.dumps({**json.loads(instances(1)), "references": references}))
    assert response.status == 400
    assert response.document["errors"][0]["pointer"] == said


def test_a_referring_prediction_tells_its_outcome_once_it_is_known():
    log = FakePredictionLog()
    service = make_service(log=log)
    body = {**json.loads(instances(1)), "references": ["entity-1"]}
    ask(json.dumps(body), service=service)
    (stored,) = log.stored.values()
    stored["expires_at"] = 10
    path = f"/predictions/{stored['prediction_id']}"

    before = ask(None, method="GET", path=path, service=service).document
    stored.update(outcome_label=1, outcome_known_at="2026-01-01T00:00:00Z")
    after = ask(None, method="GET", path=path, service=service).document

    assert (before["reference"], before["outcome"]) == ("entity-1", None)
    assert after["outcome"] == {"label": 1, "known_at": "2026-01-01T00:00:00Z"}


def test_an_entity_s_inputs_are_looked_up_and_asked_about_as_if_the_caller_had_sent_them():
    looked_up, sent, log = FakeEndpoint(), FakeEndpoint(), FakePredictionLog()

    answer = ask(json.dumps({"entities": ["whole", "dark"]}), service=make_service(looked_up, log))
    instances = [KNOWN[name] for name in ("whole", "dark")]
    ask(json.dumps({"instances": instances}), service=make_service(sent))

    assert answer.status == 200
    assert json.loads(looked_up.asked[0]) == json.loads(sent.asked[0])
    kept = list(log.stored.values())
    assert [each["entity_id"] for each in kept] == ["whole", "dark"]
    assert [json.loads(each["instance"]) for each in kept] == instances


@pytest.mark.parametrize(
    ("document", "pointer", "allowed"),
    [
        ({"entities": ["whole", "nobody"]}, "/entities/1", "the Feature Store holds"),
        ({"entities": []}, "/entities", "at least one"),
        ({"entities": "whole"}, "/entities", "at least one"),
        ({"entities": [3]}, "/entities/0", "1 to 256"),
        ({"entities": ["whole"], "instances": [{}]}, "/instances", "absent"),
        ({"entities": ["whole"], "references": ["a"]}, "/references", "absent"),
    ],
)
def test_entities_that_make_no_request_are_refused_by_their_field(document, pointer, allowed):
    answer = ask(json.dumps(document))

    assert answer.status == 400
    (error,) = answer.document["errors"]
    assert error["pointer"] == pointer
    assert allowed in error["allowed"]
