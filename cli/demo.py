"""`fourblocks demo`: the whole lifecycle on real data, each step numbered and timed."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from cli import embedded
from cli.datasets import read_samples, use_case
from cli.deployment import deploy
from cli.errors import RefusedError
from cli.ingestion import ingest
from cli.overview import serving_model, show_api
from cli.prediction import ask, question, show
from cli.project import ROOT, python_module, run_streaming
from cli.screen import console, duration, one_step
from cli.target import LOCAL, Address, open_target
from cli.training import train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.target import Target

SAMPLE = 8
STEPS = 6


class Timing(NamedTuple):
    """One finished step of the demo."""

    title: str
    result: str
    seconds: float


@dataclass
class Demo:
    """The demo's story so far."""

    timings: list[Timing] = field(default_factory=list)
    evaluation: dict[str, Any] | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Begin a step, numbered and timed; the list takes its result for the summary."""
        result: list[str] = []
        console.rule(f"{len(self.timings) + 1}/{STEPS}  {title}", align="left")
        started = time.monotonic()
        yield result
        seconds = time.monotonic() - started
        self.timings.append(Timing(title, "; ".join(result), seconds))


def run_demo() -> None:
    """Run every step; each leaves alone what an earlier run has done already."""
    demo = Demo()
    with demo.step("embedded AWS") as result:
        embedded.up()
        target = open_target(Address(LOCAL, None, None))
        result.append(target.client("sts").meta.endpoint_url)
    with demo.step("deploy the five stacks with the CDK CLI") as result:
        deploy(target)
        result.append("Foundation and the four blocks")
    with demo.step("fetch the sources") as result:
        folder = ROOT / "build" / "sources"
        fetch(use_case(target), str(folder))
        result.append(str(folder.relative_to(ROOT)))
    with demo.step("data pipeline: land, validate, join, publish") as result:
        outcome = ingest(target, folder)
        result.append(f"{outcome.status}: dataset {outcome.dataset_id}")
        require_dataset(outcome.dataset_id, outcome.detail)
    with demo.step(
        "training pipeline: members, stacker, evaluation, verdict, deployment"
    ) as result:
        trained = train(target, reason="demo")
        demo.evaluation = trained.evaluation
        result.append(f"{trained.status}: {trained.verdict}, {served(target)}")
    with demo.step("predictions over HTTP for held-out entities") as result:
        result.append(predict_sample(target))
    summarise(demo, target)


def fetch(name: str, folder: str) -> None:
    """Write the use case's source files; a use case knows where its data comes from.

    Raises:
        RefusedError: the data could not be fetched.

    """
    with one_step(f"sources of {name}") as step:
        command = python_module(f"use_cases.{name}.fetch", folder)
        finished = run_streaming(command, on_line=step.say, log_name="fetch.log")
    if finished.returncode != 0:
        message = f"The sources of {name} could not be fetched:\n{finished.output}"
        raise RefusedError(message)


def require_dataset(dataset_id: str | None, detail: str) -> None:
    """Stop the demo where there is nothing to train on.

    Raises:
        RefusedError: no dataset is published.

    """
    if dataset_id is None:
        message = f"The data pipeline has published no dataset. {detail}"
        raise RefusedError(message)


def served(target: Target) -> str:
    """Say which model serves.

    Raises:
        RefusedError: none does.

    """
    serving = serving_model(target)
    if serving is None:
        message = "No model serves: the verdict kept the new one out. See the reasons above."
        raise RefusedError(message)
    return f"version {serving['version']} serves"


def predict_sample(target: Target) -> str:
    """Ask about held-out entities over HTTP and show the answers."""
    samples = read_samples(target, SAMPLE)
    asked = [question(item, position) for position, item in enumerate(samples, start=1)]
    answer = ask(target, asked)
    show(asked, answer)
    return f"{len(answer['predictions'])} predictions, model version {answer['model_version']}"


def summarise(demo: Demo, target: Target) -> None:
    """Print what ran, how long, how good the model is, how to call it and how to stop."""
    console.rule("summary", align="left")
    table = Table("", "step", "result", "took", box=None)
    for number, timing in enumerate(demo.timings, start=1):
        table.add_row(str(number), timing.title, timing.result, duration(timing.seconds))
    total = sum(timing.seconds for timing in demo.timings)
    table.add_row("", "all", "", duration(total))
    console.print(table)
    if demo.evaluation is not None:
        console.print(quality_table(demo.evaluation))
    show_api(target)
    console.print(
        "More: fourblocks status · fourblocks predict --sample 5 · fourblocks logs\n"
        "Stop: make down · Remove everything it made: make clean"
    )


def quality_table(evaluation: dict[str, Any]) -> Table:
    """Lay out the model's quality beside the base rate and a plain logistic regression."""
    table = Table("on the untouched test rows", "AUC", "log loss", "Brier", box=None)
    baselines = {name.replace("_", " "): it for name, it in evaluation["baselines"].items()}
    for name, metrics in {"this model": evaluation["challenger"], **baselines}.items():
        values = (metrics[key] for key in ("auc", "log_loss", "brier"))
        table.add_row(name, *(f"{value:.4f}" for value in values))
    return table
