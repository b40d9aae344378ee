"""`fourblocks explain`: one stored prediction in plain words, with each member's part in it."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from rich.table import Table
from rich.text import Text

from cli.api import JSON, call, problem_text
from cli.errors import NotThereError, RefusedError
from cli.screen import console

if TYPE_CHECKING:
    from cli.target import Target

HTTP_OK, HTTP_NOT_FOUND = 200, 404
BAR_WIDTH = 30
REASONS = 5
OUTCOMES = {0: "no", 1: "yes"}


def explain_prediction(target: Target, prediction_id: str, *, as_json: bool) -> None:
    """Find a prediction and say what it is made of."""
    stored = read_prediction(target, prediction_id)
    if as_json:
        sys.stdout.write(json.dumps(stored, indent=2) + "\n")
        return
    for line in lines(stored):
        console.print(line, markup=False)
    console.print(table(stored["prediction"]))
    for reason in [*reasons(stored["prediction"]), *feature_reasons(target, stored)]:
        console.print(f"  {reason}", markup=False)


def read_prediction(target: Target, prediction_id: str) -> dict[str, Any]:
    """Ask the API for a prediction.

    Raises:
        NotThereError: there is none, or it is not logged yet.
        RefusedError: the API answered with another problem.

    """
    answer = call(target, "GET", f"/predictions/{quote(prediction_id, safe='')}")
    if answer.status == HTTP_NOT_FOUND:
        message = f"{problem_text(answer)} A new one is found within seconds."
        raise NotThereError(message)
    if answer.status != HTTP_OK:
        message = f"The API refused the request. {problem_text(answer)}"
        raise RefusedError(message)
    return dict(answer.body)


def lines(stored: dict[str, Any]) -> list[str]:
    """Say what was predicted, by what, and what became of it."""
    prediction = stored["prediction"]
    about = stored.get("reference") or "nobody named"
    found = [
        f"Prediction {stored['prediction_id']} of {stored['created_at']}",
        f"  about        {about}",
        f"  model        version {stored['model_version']}",
        f"  probability  {prediction['probability']:.1%}",
    ]
    if "outcome" in stored:
        found.append(f"  outcome      {_outcome(stored['outcome'])}")
    if prediction.get("missing_sources"):
        found.append(f"  missing      {', '.join(prediction['missing_sources'])}")
    return found


def _outcome(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return "not known yet"
    return f"{OUTCOMES.get(outcome['label'], outcome['label'])}, known at {outcome['known_at']}"


def table(prediction: dict[str, Any]) -> Table:
    """Lay the members out, the weightiest first, each share as a bar."""
    made = Table(box=None, pad_edge=False)
    for heading in ("member", "alone says", "share of the combined logit"):
        made.add_column(heading, no_wrap=True)
    members = prediction["members"]
    longest = max((abs(one["share"]) for one in members.values()), default=0.0)
    made.add_row("base", f"{_probability(prediction['base']):.1%}", "")
    for name in sorted(members, key=lambda each: -abs(members[each]["share"])):
        one = members[name]
        made.add_row(name, f"{one['probability']:.1%}", bar(one["share"], longest))
    for name in prediction.get("missing_sources", []):
        made.add_row(name, "-", Text("its source is missing", style="dim"))
    return made


def bar(share: float, longest: float) -> Text:
    """Draw a share to the left, where it lowers the probability, or to the right."""
    half = BAR_WIDTH // 2
    length = round(abs(share) / longest * half) if longest else 0
    left = ("█" * length if share < 0 else "").rjust(half)
    right = ("█" * length if share > 0 else "").ljust(half)
    return Text(f"{left}│{right} {share:+.2f}", style="red" if share > 0 else "green")


def reasons(prediction: dict[str, Any]) -> list[str]:
    """Say which members moved the answer most, and why it deserves less trust, if it does."""
    members = prediction["members"]
    logit = prediction["base"]
    found = []
    for name in sorted(members, key=lambda each: -abs(members[each]["share"])):
        before, logit = _probability(logit), logit + members[name]["share"]
        verb = "raises" if members[name]["share"] > 0 else "lowers"
        found.append(f"{name} {verb} it from {before:.1%} to {_probability(logit):.1%}")
    found += [f"less to be trusted: {flag}" for flag in prediction.get("flags", [])]
    return found


def feature_reasons(target: Target, stored: dict[str, Any]) -> list[str]:
    """Ask the endpoint which features moved the answer most, if it still serves that version."""
    try:
        answer = target.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=target.output("Inference", "EndpointName"),
            ContentType=JSON,
            Accept=JSON,
            CustomAttributes=f"reasons={REASONS}",
            Body=json.dumps({"instances": [stored["instance"]]}),
        )
    except ClientError as error:
        return [f"features: the endpoint does not answer: {error.response['Error']['Code']}"]
    document = json.loads(answer["Body"].read())
    if document["model_version"] != stored["model_version"]:
        version = document["model_version"]
        return [f"features: version {version} serves now, and knows nothing of the other's reasons"]
    return [
        f"{reason['feature']} ({reason['member']}) {reason['share']:+.2f}"
        for reason in document["predictions"][0].get("reasons", [])
    ]


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else 1 - 1 / (1 + math.exp(logit))
