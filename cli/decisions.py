"""`fourblocks decide`: predictions in, decisions out, with what each costs and saves, and why."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.table import Table

from cli.api import Answer, call, problem_text
from cli.errors import NotThereError, RefusedError
from cli.prediction import ask, questions_from
from cli.screen import console
from cli.training import follow

if TYPE_CHECKING:
    from pathlib import Path

    from cli.target import Target

HTTP_OK = 200
REQUESTS_PREFIX = "decisions/requests/"


def decide(
    target: Target, *, file: Path | None, sample: int | None, workflow: bool, as_json: bool
) -> None:
    """Decide a request of a file, or about held-out entities, and print what to do."""
    request = request_from(target, file, sample)
    answer = decide_as_workflow(target, request) if workflow else decide_now(target, request)
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        show(answer)


def request_from(target: Target, file: Path | None, sample: int | None) -> dict[str, Any]:
    """Read a request; for a sample, ask for its predictions first.

    Raises:
        NotThereError: the file does not exist.
        RefusedError: it holds no request.

    """
    if sample is not None:
        return sampled(target, sample)
    if file is None or str(file) == "-":
        return parsed(sys.stdin.read(), "standard input")
    if not file.is_file():
        message = f"There is no file {file}."
        raise NotThereError(message)
    return parsed(file.read_text(encoding="utf-8"), str(file))


def parsed(text: str, source: str) -> dict[str, Any]:
    """Read the JSON of a request."""
    try:
        document = json.loads(text)
    except ValueError as error:
        message = f"{source} is no JSON: {error}"
        raise RefusedError(message) from error
    if not isinstance(document, dict) or "predictions" not in document:
        message = f'{source} is no decision request. Expected {{"predictions": [{{…}}]}}.'
        raise RefusedError(message)
    return document


def sampled(target: Target, sample: int) -> dict[str, Any]:
    """Ask the model about held-out entities, and make a request of its answers."""
    questions = questions_from(target, None, sample)
    answers = ask(target, questions)["predictions"]
    return {
        "predictions": [
            {
                "entity_id": asked.name,
                "prediction_id": answer["prediction_id"],
                "probability": answer["probability"],
                "instance": asked.instance,
            }
            for asked, answer in zip(questions, answers, strict=True)
        ]
    }


def decide_now(target: Target, request: dict[str, Any]) -> dict[str, Any]:
    """Let the API decide."""
    return _document(call(target, "POST", "/decisions", request))


def decide_as_workflow(target: Target, request: dict[str, Any]) -> dict[str, Any]:
    """Let the workflow decide, which takes any number of entities.

    Raises:
        RefusedError: it failed.

    """
    bucket = target.output("Foundation", "AnalyticsBucketName")
    body = json.dumps(request, sort_keys=True).encode()
    key = f"{REQUESTS_PREFIX}{hashlib.sha256(body).hexdigest()}.json"
    target.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    started = target.client("stepfunctions").start_execution(
        stateMachineArn=target.output("Inference", "DecisionWorkflowArn"),
        input=json.dumps({"request_uri": f"s3://{bucket}/{key}"}),
    )
    execution = follow(target, str(started["executionArn"]))
    if execution.status != "SUCCEEDED":
        message = f"Nothing was decided: {execution.failure()}"
        raise RefusedError(message)
    found = str(execution.document("decision_id", "status")["decision_id"])
    return _document(call(target, "GET", f"/decisions/{quote(found, safe='')}"))


def _document(answer: Answer) -> dict[str, Any]:
    if answer.status != HTTP_OK:
        message = f"The API refused the request. {problem_text(answer)}"
        raise RefusedError(message)
    return dict(answer.body)


def show(answer: dict[str, Any]) -> None:
    """Print what to do about whom, and what the limits cost."""
    currency = answer["currency"]
    console.print(
        f"Decision {answer['decision_id']}: {answer['status']}. Saves {answer['saving']:,.0f}, "
        f"costs {answer['cost']:,.0f}, is worth {answer['net']:,.0f} {currency} of an expected "
        f"loss of {answer['expected_loss']:,.0f}.",
        markup=False,
    )
    for reason in answer["reasons"]:
        console.print(f"  {reason}", markup=False)
    acted = [one for one in answer["decisions"] if one["action"]]
    if acted:
        console.print(decision_table(acted))
    quiet = len(answer["decisions"]) - len(acted)
    console.print(f"  nothing is done about {quiet} of {len(answer['decisions'])}", style="dim")
    if answer["limits"]:
        console.print(limit_table(answer["limits"]))


def decision_table(decisions: list[dict[str, Any]]) -> Table:
    """Lay decisions out, the most valuable first."""
    table = Table(box=None, pad_edge=False)
    for heading in (
        "entity",
        "probability",
        "action",
        "saves",
        "costs",
        "net",
        "not the next best",
    ):
        table.add_column(heading, no_wrap=heading != "not the next best")
    for one in sorted(decisions, key=lambda each: -each["net"]):
        best = one["next_best"]
        table.add_row(
            one["entity_id"],
            f"{one['probability']:.1%}",
            one["action"],
            f"{one['saving']:,.0f}",
            f"{one['cost']:,.0f}",
            f"{one['net']:,.0f}",
            f"{best['action']}: {best['reason']}" if best else "",
        )
    return table


def limit_table(limits: list[dict[str, Any]]) -> Table:
    """Lay limits out, the scarcest first."""
    table = Table(box=None, pad_edge=False)
    for heading in ("limit", "left", "used", "one more is worth"):
        table.add_column(heading, no_wrap=True)
    for one in sorted(limits, key=lambda each: (-(each["shadow_price"] or 0), each["limit"])):
        price = one["shadow_price"]
        worth = "-" if price is None else f"{price:,.0f}"
        table.add_row(one["limit"], f"{one['left']:g}", str(one["used"]), worth)
    return table
