"""`fourblocks predict`: ask the deployed model over HTTP and show each member's share."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table
from rich.text import Text

from cli.api import call, problem_text
from cli.datasets import read_samples
from cli.errors import NotThereError, RefusedError
from cli.screen import console

if TYPE_CHECKING:
    from pathlib import Path

    from cli.target import Target

HTTP_OK = 200
BAR_WIDTH = 8


class Question(NamedTuple):
    """One instance to ask about, with what is known of it beside."""

    name: str
    instance: dict[str, Any]
    outcome: int | None


def parse_questions(text: str, source: str) -> list[Question]:
    """Read instances: a request `{"instances": […]}`, a list, one instance, or one JSON a line.

    Raises:
        RefusedError: the text is none of these.

    """
    try:
        return [question(item, position) for position, item in enumerate(documents(text), start=1)]
    except ValueError as error:
        message = (
            f"{source} is not a prediction request: {error}. "
            'Expected {"instances": [{…}]}, or one instance a line (see `fourblocks open`).'
        )
        raise RefusedError(message) from error


def documents(text: str) -> list[Any]:
    """Split a text into its JSON documents."""
    try:
        parsed = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - one broken document, not one a line
            raise
        return [json.loads(line) for line in lines]
    if isinstance(parsed, dict) and "instances" in parsed:
        parsed = parsed["instances"]
    return parsed if isinstance(parsed, list) else [parsed]


def question(item: Any, position: int) -> Question:
    """Read one item: an instance, or a sample that holds one with its entity and outcome."""
    if not isinstance(item, dict):
        message = f"item {position} is {type(item).__name__}, not an object"
        raise ValueError(message)
    if "instance" not in item:
        return Question(f"#{position}", item, None)
    label = item.get("label")
    name = str(item.get("entity_id", f"#{position}"))
    return Question(name, item["instance"], None if label is None else int(label))


def questions_from(target: Target, file: Path | None, sample: int | None) -> list[Question]:
    """Take the questions from the dataset's held-out sample, a file or standard input.

    Raises:
        NotThereError: the file does not exist.

    """
    if sample is not None:
        items = read_samples(target, sample)
        return [question(item, position) for position, item in enumerate(items, start=1)]
    if file is None or str(file) == "-":
        return parse_questions(sys.stdin.read(), "standard input")
    if not file.is_file():
        message = f"There is no file {file}."
        raise NotThereError(message)
    return parse_questions(file.read_text(encoding="utf-8"), str(file))


def ask(target: Target, questions: list[Question]) -> dict[str, Any]:
    """Send the questions as one request and return the answer's document.

    Raises:
        RefusedError: the API answered with a problem.

    """
    return answered(target, {"instances": [asked.instance for asked in questions]})


def answered(target: Target, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return the answer's document."""
    answer = call(target, "POST", "/predictions", request)
    if answer.status != HTTP_OK:
        message = f"The API refused the request. {problem_text(answer)}"
        raise RefusedError(message)
    return dict(answer.body)


def show(questions: list[Question], answer: dict[str, Any]) -> None:
    """Print each probability beside its outcome and its members' shares."""
    predictions = answer["predictions"]
    members = list(predictions[0]["members"])
    table = Table(box=None, pad_edge=False)
    for heading in ("entity", "probability", "happened", *members, "missing"):
        table.add_column(heading, no_wrap=True)
    for asked, prediction in zip(questions, predictions, strict=True):
        table.add_row(*cells(asked, prediction, members))
    console.print(table)
    console.print(
        f"  model version {answer.get('model_version', '-')}; bars are each member's share of the "
        "combined logit, to the right for a higher probability",
        style="dim",
    )
    first = predictions[0].get("prediction_id")
    if first:
        console.print(f"  of the first more: fourblocks explain {first}", style="dim")


def cells(asked: Question, prediction: dict[str, Any], members: list[str]) -> list[str | Text]:
    """Lay out one prediction as a row."""
    outcome = {None: "", 0: "no", 1: "yes"}[asked.outcome]
    shares = [share_cell(prediction["members"].get(name)) for name in members]
    missing = ", ".join(prediction.get("missing_sources", []))
    return [asked.name, f"{prediction['probability']:.1%}", outcome, *shares, missing]


def share_cell(member: dict[str, float] | None) -> Text:
    """Draw one member's share as a bar with its number."""
    if member is None:
        return Text("-", style="dim")
    share = member["share"]
    length = min(BAR_WIDTH // 2, round(abs(share) * BAR_WIDTH / 4))
    half = BAR_WIDTH // 2
    left = ("█" * length if share < 0 else "").rjust(half)
    right = ("█" * length if share > 0 else "").ljust(half)
    style = "red" if share > 0 else "green"
    return Text(f"{left}│{right} {share:+.2f}", style=style)


def predict(
    target: Target,
    *,
    file: Path | None,
    sample: int | None,
    entities: list[str],
    as_json: bool,
) -> None:
    """Ask about a file's, standard input's, the sample's or entities' instances, and show all."""
    if entities:
        questions = [Question(entity, {}, None) for entity in entities]
        answer = answered(target, {"entities": entities})
    else:
        questions = questions_from(target, file, sample)
        answer = ask(target, questions)
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        show(questions, answer)
