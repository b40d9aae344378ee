"""`why` names the rule that decided, in the words that the verdict was given with."""

from __future__ import annotations

import pytest

from cli.errors import RefusedError
from cli.models import explanation, tell_reproduction
from tests.unit.training_pipeline.test_lambda_verdicts import (
    GOOD,
    compared,
    evaluated,
    gain,
    verdict,
)


def record_of(report, version=2):
    judged = verdict(report)
    return {
        "version": version,
        "model_id": "m-1",
        "state": "candidate",
        "verdict": judged["verdict"],
        "reasons": judged["reasons"],
        "rules": judged["rules"],
        "dataset_id": "d-1",
        "champion_version": 1,
        "requested_by": "anna",
    }


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (evaluated(), "It was promoted: every rule is kept."),
        (
            evaluated(challenger={**GOOD, "log_loss": 0.48}),
            "It was rejected: Log loss 0.48 against the champion's 0.46: worse by 0.02",
        ),
        (
            evaluated(slices={"place": {"x": {**GOOD, "log_loss": 0.51}, "y": GOOD}}),
            "It was rejected: On slice place=x the log loss is 0.51",
        ),
        (
            evaluated(comparison=compared(metrics={"log_loss": gain(0.01, -0.004, 0.02, 0.8)})),
            "A person has to decide: The gain in log loss is within noise",
        ),
        (
            evaluated(latency_ms_p50=7.5),
            "It was rejected: Median latency in ms 7.5 is above the limit 5.",
        ),
        (
            evaluated(model_size_bytes=2000),
            "It was rejected: Model size in bytes 2000 is above the limit 1000.",
        ),
    ],
    ids=["better", "worse", "one slice", "noise", "too slow", "too big"],
)
def test_why_names_the_reason_in_plain_words(report, words):
    said = explanation(record_of(report))
    assert said[1].startswith(words)
    assert "compared with version 1" in said[2]


def test_only_what_decided_is_the_reason_and_every_rule_is_listed():
    said = explanation(
        record_of(
            evaluated(
                latency_ms_p50=9.0,
                comparison=compared(metrics={"log_loss": gain(0.01, -0.004, 0.02, 0.8)}),
            )
        )
    )
    assert "noise" not in said[1]
    assert [line for line in said if line.startswith("  BROKEN")] != []
    assert [line for line in said if "within noise" in line] != []


def test_an_equal_digest_is_said_and_another_one_is_an_error(capsys):
    found = {"identical": True, "original_digest": "a", "rebuilt_digest": "a", "differences": []}
    tell_reproduction({"version": 3}, found)
    assert "equal: version 3" in capsys.readouterr().out
    different = {**found, "identical": False, "differences": ["weather/model.txt"]}
    with pytest.raises(RefusedError, match=r"different when it is rebuilt: weather/model\.txt"):
        tell_reproduction({"version": 3}, different)
    with pytest.raises(RefusedError, match="no comparison was written"):
        tell_reproduction({"version": 3}, {})
