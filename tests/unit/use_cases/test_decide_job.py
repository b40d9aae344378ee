"""The processing job decides what the API would: in SageMaker's folders, run for real."""

from __future__ import annotations

import json

import pytest

from pipeline_code.inference import decide_job
from pipeline_code.inference.decision_policy import load_decision_code, load_policy
from pipeline_code.inference.decisions import Decider, decide

USE_CASE = "flight_delays"
REQUEST = {
    "predictions": [
        {
            "entity_id": f"f{number}",
            "probability": 0.4,
            "instance": {
                "schedule": {"scheduled_departure": f"2013-12-05T17:{number}", "origin": "JFK"}
            },
        }
        for number in range(10, 60)
    ]
}


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "processing" / "input" / "request").mkdir(parents=True)
    return tmp_path


def test_the_job_decides_what_the_api_would(base):
    (base / "processing" / "input" / "request" / "a.json").write_text(json.dumps(REQUEST))

    assert decide_job.main([USE_CASE]) == 0

    written = base / "processing" / "output" / "decision" / "decision.json"
    decider = Decider(load_policy(USE_CASE), load_decision_code(USE_CASE))
    assert json.loads(written.read_text()) == decide(REQUEST, decider)


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ([], "must hold one request, but holds []"),
        (["{}", "{}"], "must hold one request"),
        (["{"], "JSONDecodeError"),
        (['{"predictions": [{}]}'], "/predictions/0/entity_id"),
    ],
)
def test_a_job_that_cannot_decide_says_why(base, texts, reason):
    for number, text in enumerate(texts):
        (base / "processing" / "input" / "request" / f"{number}.json").write_text(text)

    assert decide_job.main([USE_CASE]) == 1
    assert reason in (base / "output" / "message").read_text()
