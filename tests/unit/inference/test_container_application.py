"""The container's HTTP answers, without a server: predictions, problems, the ping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline_code.inference.application import ModelApplication
from pipeline_code.inference.contract import Prediction
from pipeline_code.inference.golden_check import GoldenCheck, load_golden_check
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.predictor import Predictor, load_predictor
from pipeline_code.inference.serve_job import load_application
from tests.fixtures import tiny_dataset


class BrokenPredictor(Predictor):
    def predict_rows(self, rows: Any) -> list[Prediction]:
        raise RuntimeError("secret detail of the inside")


def ask(
    application: ModelApplication,
    method: str = "POST",
    path: str = "/invocations",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], Any]:
    given = {"content-type": "application/json", **(headers or {})}
    answer = application.answer(Request(method, path, given, body))
    return (
        answer.status,
        {"content-type": answer.content_type, **dict(answer.headers)},
        json.loads(answer.body),
    )


@pytest.fixture(scope="module")
def application(tiny_model: Path) -> ModelApplication:
    return load_application(tiny_model, {"MODEL_VERSION": "12"})


def body_of(*instances: dict[str, Any]) -> bytes:
    return json.dumps({"instances": list(instances)}).encode()


def test_an_invocation_is_answered_by_the_model(
    application: ModelApplication, tiny_model: Path
) -> None:
    instances = tiny_dataset.instances(3, 9)

    status, headers, answer = ask(application, body=body_of(*instances))

    assert (status, headers["content-type"]) == (200, "application/json")
    assert answer["model_version"] == "12"
    assert answer["predictions"] == load_predictor(tiny_model).predict(instances)


def test_a_model_without_a_version_answers_with_its_digest(tiny_model: Path) -> None:
    unnamed = load_application(tiny_model, {})

    _, _, answer = ask(unnamed, body=body_of(*tiny_dataset.instances(1, 9)))

    assert answer["model_version"] == load_predictor(tiny_model).ensemble.digest


def test_a_charset_after_the_media_type_is_fine(application: ModelApplication) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}

    assert ask(application, body=body_of(*tiny_dataset.instances(1, 9)), headers=headers)[0] == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"body": b"{"}, 400),
        ({"body": b'{"instances": [{}]}'}, 400),
        ({"headers": {"content-type": "text/html"}}, 415),
        ({"headers": {"accept": "text/html"}}, 406),
        ({"headers": {"content-type": "text/csv"}, "body": b"a,b\n1"}, 400),
        ({"headers": {"content-type": ""}}, 415),
        ({"path": "/secret"}, 404),
        ({"method": "GET"}, 405),
        ({"method": "POST", "path": "/ping"}, 405),
    ],
)
def test_a_request_that_cannot_be_answered_gets_a_problem_document(
    application: ModelApplication, request_: dict[str, Any], status: int
) -> None:
    found, headers, problem = ask(application, **request_)

    assert (found, problem["status"]) == (status, status)
    assert headers["content-type"] == "application/problem+json"
    assert problem.keys() >= {"type", "title", "status", "detail"}


def test_wrong_fields_are_listed_in_the_problem(application: ModelApplication) -> None:
    instance = tiny_dataset.instances(1, 9)[0]
    instance["identity"]["shop"] = "west"

    _, _, problem = ask(application, body=body_of(instance))

    assert problem["errors"] == [
        {
            "pointer": "/instances/0/identity/shop",
            "value": '"west"',
            "allowed": "one of north, south",
        }
    ]


def test_an_unexpected_error_is_logged_and_its_inside_stays_inside(
    application: ModelApplication, tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = load_predictor(tiny_model)
    golden = load_golden_check(sound, tiny_model)
    broken = ModelApplication(BrokenPredictor(sound.use_case, sound.ensemble), golden, "1")

    status, _, problem = ask(broken, body=body_of(*tiny_dataset.instances(1, 9)))

    assert status == 500
    assert "secret" not in json.dumps(problem)
    assert "secret detail of the inside" in caplog.text


def test_ping_is_well_while_the_model_answers_right(application: ModelApplication) -> None:
    assert ask(application, "GET", "/ping")[0] == 200


def test_ping_is_unwell_when_the_model_answers_wrongly(tiny_model: Path) -> None:
    predictor = load_predictor(tiny_model)
    instance = tiny_dataset.instances(1, 9)[0]
    wrong = {"request": {"instances": [instance]}, "prediction": {"probability": 2.0}}
    sick = ModelApplication(predictor, GoldenCheck(predictor, [wrong]), "1")

    assert ask(sick, "GET", "/ping")[0] == 503
