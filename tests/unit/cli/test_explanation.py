"""A prediction is explained by its members' parts: what they add up to, and what is missing."""

from __future__ import annotations

import io
import json
import math

import pytest
from botocore.exceptions import ClientError

from cli.explanation import bar, feature_reasons, lines, reasons, table

PREDICTION = {
    "probability": 1 / (1 + math.exp(-0.5)),
    "base": -1.0,
    "members": {
        "calm": {"probability": 0.5, "share": -0.25},
        "loud": {"probability": 0.9, "share": 1.75},
    },
    "missing_sources": ["web"],
    "flags": ["missing:web"],
}
STORED = {
    "prediction_id": "p-1",
    "created_at": "2026-01-01T00:00:00.000Z",
    "model_version": "3",
    "prediction": PREDICTION,
}


def test_it_says_what_was_predicted_by_what_and_what_became_of_it():
    known = {**STORED, "reference": "e-1", "outcome": {"label": 1, "known_at": "2026-02-01"}}

    text = "\n".join(lines(known))

    for expected in ("p-1", "e-1", "version 3", "62.2%", "yes, known at 2026-02-01", "web"):
        assert expected in text
    assert "not known yet" in "\n".join(lines({**known, "outcome": None}))
    assert "nobody named" in "\n".join(lines(STORED))


def test_the_weightiest_member_comes_first_and_each_step_leads_to_the_answer():
    first, second, third = reasons(PREDICTION)

    assert first == "loud raises it from 26.9% to 67.9%"
    assert second == "calm lowers it from 67.9% to 62.2%"
    assert third == "less to be trusted: missing:web"


def test_bars_point_to_the_side_that_the_share_pulls_to():
    up, down = bar(2.0, 2.0).plain, bar(-1.0, 2.0).plain

    assert up.index("│") < up.index("█")
    assert down.index("█") < down.index("│")
    assert up.count("█") > down.count("█") > 0
    assert "█" not in bar(0.0, 0.0).plain


def test_members_stand_in_the_order_of_their_weight_and_missing_ones_at_the_end():
    column = list(table(PREDICTION).columns[0].cells)

    assert column == ["base", "loud", "calm", "web"]


class FakeRuntime:
    """SageMaker's runtime with one endpoint that explains, or is down."""

    def __init__(self, version="3", error=None):
        self.version = version
        self.error = error
        self.asked = {}

    def invoke_endpoint(self, **request):
        self.asked = request
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "InvokeEndpoint")
        reasons = [{"member": "loud", "feature": "noise", "share": 1.5}]
        predictions = [{**PREDICTION, "reasons": reasons}]
        document = {"model_version": self.version, "predictions": predictions}
        return {"Body": io.BytesIO(json.dumps(document).encode())}


@pytest.fixture
def explained(target):
    target.deployed["Inference"] = {"EndpointName": "e"}

    def explain(runtime):
        target._clients["sagemaker-runtime"] = runtime
        return feature_reasons(target, {**STORED, "instance": {"room": {"noise": 9}}})

    return explain


def test_the_version_that_answered_says_which_features_moved_it(explained):
    runtime = FakeRuntime()

    assert explained(runtime) == ["noise (loud) +1.50"]
    assert runtime.asked["CustomAttributes"] == "reasons=5"
    assert json.loads(runtime.asked["Body"]) == {"instances": [{"room": {"noise": 9}}]}


def test_another_version_s_reasons_are_none_of_this_prediction(explained):
    (said,) = explained(FakeRuntime(version="4"))

    assert "version 4 serves now" in said


def test_an_endpoint_that_is_down_explains_no_features(explained):
    (said,) = explained(FakeRuntime(error="ServiceUnavailable"))

    assert "ServiceUnavailable" in said
