"""Decisions through the public doors: over HTTP, as a workflow, kept, found, queried, refused."""

from __future__ import annotations

import json

import pytest

from tests.e2e.journey.queries import rows, run

EVENING = 17


def flight(number: int, probability: float | None, hour: int = EVENING) -> dict:
    """Give an item of a request; without a probability, one that comes later."""
    item = {
        "entity_id": f"2013-12-05T{hour:02d}:{number:02d}/{number}",
        "instance": {
            "schedule": {
                "scheduled_departure": f"2013-12-05T{hour:02d}:{number:02d}",
                "origin": ("EWR", "JFK", "LGA")[number % 3],
            },
            "network": {"aircraft_seats": 50.0 + 4 * number},
        },
    }
    return item if probability is None else {**item, "probability": probability}


REQUEST = {
    "predictions": [flight(number, 0.2 + number / 100) for number in range(40)],
    "later": [flight(number, None, hour=20) for number in range(30)],
}


def decide(platform, document) -> tuple[int, dict]:
    answer = platform.http("POST", "/decisions", json.dumps(document).encode())
    return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def decided(bare_platform) -> dict:
    status, answer = decide(bare_platform, REQUEST)
    assert status == 200, answer
    return answer


def test_what_is_decided_pays_and_is_explained(decided):
    assert decided["status"] == "optimal"
    assert decided["net"] == pytest.approx(decided["saving"] - decided["cost"], abs=1)
    acted = [one for one in decided["decisions"] if one["action"]]
    assert acted
    assert all(one["net"] > 0 and one["uses"] for one in acted)
    assert all(limit["used"] <= limit["left"] for limit in decided["limits"])
    scarce = [limit for limit in decided["limits"] if limit["shadow_price"]]
    assert scarce
    left_alone = [one for one in decided["decisions"] if not one["action"] and one["next_best"]]
    assert any("elsewhere" in one["next_best"]["reason"] for one in left_alone)


def test_a_decision_is_found_again_and_the_same_request_has_the_same_answer(bare_platform, decided):
    found = bare_platform.http("GET", f"/decisions/{decided['decision_id']}")
    turned = {name: list(reversed(items)) for name, items in REQUEST.items()}

    assert found.json() == decided
    assert decide(bare_platform, turned) == (200, decided)
    assert bare_platform.http("GET", "/decisions/d-nothing").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"predictions": []}, "nothing_to_decide"),
        ({"remaining": {"swap": -1}}, "infeasible"),
        ({"remaining": {"turn": 0, "crew": 0, "swap": 0}}, "optimal"),
    ],
)
def test_degenerate_problems_are_answered_clearly(bare_platform, changes, status):
    code, answer = decide(bare_platform, {**REQUEST, **changes})

    assert code == 200, answer
    assert answer["status"] == status
    assert answer["net"] == 0
    assert answer["reasons"] or status == "optimal"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"predictions": [flight(1, 0.5), flight(1, 0.6)]}, 400),
        ({"predictions": [flight(1, 1.5)]}, 400),
        ({"predictions": [{"entity_id": "a", "probability": 0.5, "instance": {}}]}, 400),
        ({"predictions": [{"prediction_id": "unknown"}]}, 404),
        ({"predictions": "all"}, 400),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_names_its_field(bare_platform, document, code):
    status, answer = decide(bare_platform, document)

    assert status == code, answer
    assert answer["errors"][0]["pointer"].startswith("/predictions")


def test_a_number_that_json_does_not_know_is_refused(bare_platform):
    body = json.dumps({"predictions": [flight(1, float("nan"))]}).encode()

    assert bare_platform.http("POST", "/decisions", body).status_code == 400


def test_the_workflow_decides_the_same_and_keeps_it_the_same_way(bare_platform, decided):
    file = bare_platform.project / "request.json"
    file.write_text(json.dumps(REQUEST))
    larger = {**REQUEST, "later": REQUEST["later"][:-1]}
    other = bare_platform.project / "other.json"
    other.write_text(json.dumps(larger))

    again = answer_of(bare_platform.command("decide", str(file), "--workflow", "--json"))
    by_job = answer_of(bare_platform.command("decide", str(other), "--workflow", "--json"))

    assert again == decided
    assert decide(bare_platform, larger) == (200, by_job)
    told = bare_platform.command("decide", str(file))
    assert "one more is worth" in told
    assert decided["decision_id"] in told


def test_every_decision_stands_in_the_catalog(bare_platform, decided):
    names = {**bare_platform.outputs("Foundation"), **bare_platform.outputs("DataPipeline")}
    athena = bare_platform.client("athena")
    sql = (
        "SELECT count(*) AS entities, sum(net) AS net, count(action) AS acted FROM decisions "
        "WHERE decision_id = ?"
    )
    parameters = [f"'{decided['decision_id']}'"]

    (found,) = rows(athena, run(athena, names, sql, ExecutionParameters=parameters))

    assert int(found["entities"]) == len(REQUEST["predictions"])
    assert float(found["net"]) == pytest.approx(decided["net"], abs=1)
    assert int(found["acted"]) == sum(1 for one in decided["decisions"] if one["action"])


def answer_of(text: str) -> dict:
    """Read the JSON that a command printed behind its progress."""
    return json.loads(text[text.index("{") :])
