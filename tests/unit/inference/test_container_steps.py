"""Pre, inference and post in turn answer what one container answers, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline_code.inference.answers import Answer
from pipeline_code.inference.application import ModelApplication
from pipeline_code.inference.contract import PIPELINE_STEPS
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.serve_job import ServingSettingError, load_application
from pipeline_code.inference.steps import MESSAGE_PACK, Features, Scores
from tests.fixtures import tiny_dataset

INSTANCES = [
    *tiny_dataset.instances(70, 9),
    {**tiny_dataset.instances(1, 10)[0], "sensor": None},
    {**tiny_dataset.instances(1, 11)[0], "sensor": {"level": 9.5}},
]
Steps = dict[str, ModelApplication]


@pytest.fixture(scope="module")
def steps(tiny_model: Path) -> Steps:
    return {
        name: load_application(tiny_model, {"MODEL_VERSION": "12", "SERVING_STEP": name})
        for name in ("all", *PIPELINE_STEPS)
    }


def ask(
    application: ModelApplication, body: bytes, given: str, accept: str = "", attributes: str = ""
) -> Answer:
    headers = {"content-type": given, "accept": accept}
    if attributes:
        headers["x-amzn-sagemaker-custom-attributes"] = attributes
    return application.answer(Request("POST", "/invocations", headers, body))


def in_turn(steps: Steps, body: bytes, given: str, accept: str, attributes: str = "") -> Answer:
    answer = ask(steps["pre"], body, given, "", attributes)
    for name in ("inference", "post"):
        assert answer.status == 200, answer.body
        last = name == "post"
        answer = ask(steps[name], answer.body, answer.content_type, accept if last else "")
    return answer


@pytest.mark.parametrize("count", [1, len(INSTANCES)])
@pytest.mark.parametrize("accept", ["", "text/csv", "application/x-parquet"])
def test_three_containers_in_turn_answer_as_one(steps: Steps, accept: str, count: int) -> None:
    body = json.dumps({"instances": INSTANCES[-count:]}).encode()

    answer = in_turn(steps, body, "application/json", accept)

    assert answer == ask(steps["all"], body, "application/json", accept)


def test_the_requests_format_is_remembered_to_the_end(steps: Steps) -> None:
    body = b"\n".join(json.dumps(one).encode() for one in INSTANCES)

    answer = in_turn(steps, body, "application/jsonlines", "")

    assert answer.content_type == "application/jsonlines"
    assert answer.body == ask(steps["all"], body, "application/jsonlines").body


def test_every_step_is_well_while_the_model_answers_right(steps: Steps) -> None:
    for application in steps.values():
        assert application.answer(Request("GET", "/ping", {}, b"")).status == 200


def test_the_first_says_what_is_wrong_with_a_request(steps: Steps) -> None:
    answer = ask(steps["pre"], b'{"instances": [{}]}', "application/json")

    assert answer.status == 400
    assert json.loads(answer.body)["errors"][0]["pointer"] == "/instances/0/identity"


def test_reasons_are_given_when_asked_for_and_lie_within_the_members_shares(steps: Steps) -> None:
    body = json.dumps({"instances": INSTANCES[-3:]}).encode()

    answer = ask(steps["all"], body, "application/json", "", "trace=7, reasons=3")

    for one in json.loads(answer.body)["predictions"]:
        shares = [abs(reason["share"]) for reason in one["reasons"]]
        assert shares == sorted(shares, reverse=True)
        assert 2 <= len(shares) <= 3
        assert {reason["member"] for reason in one["reasons"]} <= one["members"].keys()
    assert in_turn(steps, body, "application/json", "", "reasons=3") == answer


@pytest.mark.parametrize("attributes", ["reasons=0", "reasons=many", "reasons=21", "reasons=-1"])
def test_a_number_of_reasons_that_makes_no_sense_is_refused(steps: Steps, attributes: str) -> None:
    body = json.dumps({"instances": INSTANCES[:1]}).encode()

    for name in ("all", "pre"):
        answer = ask(steps[name], body, "application/json", "", attributes)
        assert (answer.status, "from 1 to 20" in answer.body.decode()) == (400, True)


def test_only_so_many_rows_are_explained_at_once(steps: Steps) -> None:
    body = json.dumps({"instances": [INSTANCES[0]] * 101}).encode()

    for name in ("all", "pre"):
        answer = ask(steps[name], body, "application/json", "", "reasons=3")
        assert (answer.status, "101 came" in answer.body.decode()) == (400, True)


packed = msgspec.msgpack.encode


@pytest.mark.parametrize(
    ("step", "given", "body", "status"),
    [
        ("inference", "application/json", b"{}", 415),
        ("post", "application/json", b"{}", 415),
        ("inference", MESSAGE_PACK, b"\xc1", 400),
        ("inference", MESSAGE_PACK, packed({"asked": 1}), 400),
        ("inference", MESSAGE_PACK, packed(Features("application/json", 4, b"123")), 400),
        ("inference", MESSAGE_PACK, packed(Features("application/json", 0, b"")), 400),
        (
            "inference",
            MESSAGE_PACK,
            packed(Features("application/json", 1, np.zeros(3, np.float32).tobytes())),
            400,
        ),
        ("post", MESSAGE_PACK, packed(Scores("application/json", [[1.0]], [[True]], [[]])), 400),
        ("post", MESSAGE_PACK, packed(Scores("application/json", [[1.0, 2.0]], [], [])), 400),
        (
            "post",
            MESSAGE_PACK,
            packed(Scores("application/json", [[np.nan, 1.0]], [[True, True]], [[]])),
            500,
        ),
    ],
)
def test_what_no_step_before_sends_is_refused(
    steps: Steps, step: str, given: str, body: bytes, status: int
) -> None:
    assert ask(steps[step], body, given).status == status


def test_an_unknown_step_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ServingSettingError, match="'dance', must be one of pre, inference, post"):
        load_application(tiny_model, {"SERVING_STEP": "dance"})
