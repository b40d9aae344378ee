"""`fourblocks train --local-change`: the working copy's candidate beside the model that serves.

Everything runs on this machine, on copies; the platform is only read.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.champion_files import Champion, fetch_champion, fetch_uri
from cli.change_report import changes_lines, comparison_table, verdict_lines
from cli.datasets import use_case
from cli.errors import RefusedError
from cli.local_jobs import CONTAINER, IMAGES, process, run_module, train
from cli.project import ROOT
from cli.screen import console, one_step
from cli.training import read_evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.target import Target

FOLDER = ROOT / "build" / "local_change"
PIPELINE = "pipeline_code.training_pipeline"
JOBS_AT_ONCE = 2
SHARED = ("seed", "split", "categorical", "out_of_fold", "additive")
"""Fields of a configuration that every member's training depends on."""
INDIFFERENT = ("gate", "resources", "search", "enabled")
"""Fields of a member that its training does not depend on."""
PREPARED = ("A", "B")
PAGE = "evaluation.html"


class Candidate(NamedTuple):
    """What the working copy gave."""

    evaluation: dict[str, Any]
    trained: list[str]
    taken: list[str]


def try_local_change(target: Target, config: Path | None) -> None:
    """Train a candidate from the working copy and compare it with the champion.

    Raises:
        NotThereError: no model serves yet.
        RefusedError: the working copy is wrong, or one of its jobs failed.

    """
    started = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with one_step("the serving model and what it rests on"):
        champion = fetch_champion(target)
        before = read_evaluation(target, str(champion.record["evaluation_uri"])) or {}
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="run-") as scratch:
        bench = _Bench(target, champion, Path(scratch))
        with one_step("the working copy's features"):
            bench.plan(config)
        candidate = bench.candidate()
        with one_step("verdict"):
            verdict = bench.verdict()
        shutil.copyfile(bench.report / PAGE, FOLDER / PAGE)
    for line in changes_lines(bench.planned["changes"], candidate.trained, candidate.taken):
        console.print(line, markup=False)
    console.print(comparison_table(candidate.evaluation, champion.version, before))
    for line in verdict_lines(verdict):
        console.print(line, markup=False)
    console.print(f"  the whole report: {(FOLDER / PAGE).relative_to(ROOT)}", markup=False)
    seconds = time.monotonic() - started
    console.print(f"  {seconds:.0f} s; nothing that is live was touched", markup=False)


class _Bench:
    """One candidate in the making, in a folder of its own."""

    def __init__(self, target: Target, champion: Champion, folder: Path) -> None:
        self._target = target
        self._champion = champion
        self._folder = folder
        self._config = folder / "working_copy.json"
        self.planned: dict[str, Any] = {}
        self.report = folder / "evaluate" / "processing" / "output" / "evaluation"

    def plan(self, config: Path | None) -> None:
        """Have the working copy compute its features, and say which jobs it needs."""
        champion = self._champion
        run_module(
            "",
            (
                f"{PIPELINE}.working_copy_job",
                *("--use-case", use_case(self._target)),
                *("--dataset", str(champion.dataset)),
                *("--inputs", str(champion.inputs)),
                *("--prefix", champion.prefix),
                *("--as-of", champion.published_at),
                *("--into", str(self._folder)),
                *(("--config", str(config.resolve())) if config else ()),
            ),
            {},
        )
        self.planned = json.loads((self._folder / "plan.json").read_text(encoding="utf-8"))
        self._config.write_text(json.dumps(self.planned["document"]), encoding="utf-8")
        for job in self.planned["members"]:
            if job["arn"]:
                message = f"member {job['name']}: {job['arn']} runs nowhere but in an account"
                raise RefusedError(f"{message} that is subscribed to the product.")

    def candidate(self) -> Candidate:
        """Train what changed, take the rest from the champion, join, and evaluate."""
        jobs = self.planned["members"]
        known = known_artefacts(self._champion, self.planned)
        prepared = self._prepared(jobs)
        with one_step("members") as step, ThreadPoolExecutor(JOBS_AT_ONCE) as pool:
            step.say(", ".join(job["name"] for job in jobs if job["name"] not in known))
            made = {
                job["name"]: pool.submit(self._member, job, known.get(job["name"]), prepared)
                for job in jobs
            }
            artefacts = {name: one.result() for name, one in made.items()}
        with one_step("stacker"):
            challenger = self._stack(artefacts, prepared)
        with one_step("evaluation"):
            evaluation = self._evaluate(challenger)
        names = [job["name"] for job in jobs]
        taken = [name for name in names if name in known]
        return Candidate(evaluation, [name for name in names if name not in known], taken)

    def verdict(self) -> dict[str, Any]:
        """Ask the judge's own rules what they would say."""
        evaluation = self.report / "evaluation.json"
        module = "lambdas.training_pipeline.judge_model"
        answer = run_module("verdict", (module, str(evaluation), str(self._config)), {})
        return dict(json.loads(answer))

    def _prepared(self, jobs: list[dict[str, Any]]) -> Path | None:
        if not any(job["mode"] in PREPARED for job in jobs):
            return None
        with one_step("preparation"):
            inputs = {"dataset": self._dataset, "config": self._config}
            base = self._folder / "prepare"
            return process("preparation", f"{PIPELINE}.prepare_job", base, inputs) / "prepared"

    @property
    def _dataset(self) -> Path:
        return Path(self.planned["dataset"])

    def _member(self, job: dict[str, Any], known: str | None, prepared: Path | None) -> Path:
        """Give a member's artefact."""
        if known:
            return fetch_uri(self._target, known)
        folders = {"dataset": self._dataset, "config": self._config}
        channels = {
            channel: folders.get(held) or Path(str(prepared)) / held.removeprefix("prepared/")
            for channel, held in job["channels"].items()
        }
        return train(
            f"member {job['name']}",
            IMAGES.get(job["algorithm"], CONTAINER),
            self._folder / f"member-{job['name']}",
            {**job["hyperparameters"], **self._tuned(job["name"])},
            channels,
            job["content_type"],
        )

    def _tuned(self, member: str) -> dict[str, str]:
        """Give what the champion's search found for a member that is to be searched again."""
        found = self._champion.record.get("members", {}).get(member, {})
        return dict(found.get("hyperparameters", {}))

    def _stack(self, artefacts: Mapping[str, Path], prepared: Path | None) -> Path:
        channels = {
            "dataset": self._dataset,
            "config": self._config,
            **{f"member-{name}": path for name, path in artefacts.items()},
            **({"prepared": prepared / "preprocessing"} if prepared else {}),
        }
        hyperparameters = {"task": "stack", "use_case": use_case(self._target)}
        return train("stacker", CONTAINER, self._folder / "stack", hyperparameters, channels)

    def _evaluate(self, challenger: Path) -> dict[str, Any]:
        inputs = {
            "dataset": self._dataset,
            "config": self._config,
            "challenger": challenger,
            "champion": self._champion.artefact,
            "champion_dataset": self._champion.dataset,
        }
        base = self._folder / "evaluate"
        process("evaluation", f"{PIPELINE}.evaluate_job", base, inputs)
        text = (self.report / "evaluation.json").read_text(encoding="utf-8")
        return dict(json.loads(text))


def known_artefacts(champion: Champion, plan: dict[str, Any]) -> dict[str, str]:
    """Give the artefacts of members that nothing changed for, and those that mode D names."""
    given = {job["name"]: job["artefact_uri"] for job in plan["members"] if job["artefact_uri"]}
    document, before = plan["document"], champion.document
    if any(document.get(name) != before.get(name) for name in SHARED):
        return given
    earlier = _all_trained_as(before)
    touched = set(plan["touched"])
    if "additive" in document and (touched or earlier != _all_trained_as(document)):
        return given  # its members are parts of one model
    made = champion.record.get("members", {})
    known = {
        member["name"]: str(made[member["name"]]["artefact_uri"])
        for member in document["members"]
        if member["name"] in made
        and _trained_as(member) == earlier.get(member["name"])
        and not touched & {*member["features"], *member.get("context", [])}
    }
    names = {job["name"] for job in plan["members"]}
    return {name: uri for name, uri in (known | given).items() if name in names}


def _all_trained_as(document: dict[str, Any]) -> dict[str, Any]:
    return {member["name"]: _trained_as(member) for member in document["members"]}


def _trained_as(member: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in member.items() if name not in INDIFFERENT}
