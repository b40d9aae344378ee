"""The same record gives the same model: elsewhere, with other threads, after an interruption."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline_code.training_pipeline import reproduce_job
from pipeline_code.training_pipeline.archives import artefact_digest, file_digests, pack
from pipeline_code.training_pipeline.checkpoints import Checkpoints
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.dataset import read_rows
from pipeline_code.training_pipeline.member_training import train_member
from tests.fixtures import tiny_dataset, tiny_modes

ROOT = Path(__file__).parents[3]


def rebuild(folder: Path, dataset: Path, threads: str) -> Path:
    """Train everything in processes of their own, the members side by side."""
    stack = tiny_dataset.job(folder / "stack", dataset, {"task": "stack"})
    bases = {
        name: tiny_dataset.job(
            folder / name, dataset, {"task": "member", "member": name, "threads": threads}
        )
        for name in ("identity", "sensor")
    }
    for base in bases.values():
        tiny_modes.write_config(base / "input" / "data" / "config", tiny_modes.configuration())
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline_code.container", "train"],
            cwd=ROOT,
            env={
                **os.environ,
                "SAGEMAKER_BASE_DIR": str(base),
                "PYTHONPATH": str(ROOT),
                "PYTHONHASHSEED": threads,
            },
            stdout=subprocess.DEVNULL,
        )
        for base in bases.values()
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    for name, base in bases.items():
        tiny_dataset.pack(base / "model", stack / "input" / "data" / f"member-{name}")
    assert tiny_dataset.run_training(stack) == 0
    return stack / "model"


def compare(base: Path, original: Path, rebuilt: Path) -> dict[str, Any]:
    for name, model in (("original", original), ("rebuilt", rebuilt)):
        tiny_dataset.pack(model, base / "processing" / "input" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(base))
        assert reproduce_job.main() == 0
    report = base / "processing" / "output" / "reproduction" / "reproduction.json"
    return json.loads(report.read_text())


def test_another_folder_other_processes_and_threads_give_the_identical_digest(
    tiny_model: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    rebuilt = rebuild(tmp_path / "elsewhere", tiny_folder, threads="2")

    found = compare(tmp_path / "job", tiny_model, rebuilt)

    assert found["identical"], found["differences"]
    assert found["original_digest"] == found["rebuilt_digest"]
    assert found["original_digest"] == artefact_digest(file_digests(tiny_model))


def test_another_model_is_told_apart_file_by_file(
    tiny_model: Path, tiny_jobs: Path, tmp_path: Path
) -> None:
    found = compare(tmp_path, tiny_model, tiny_jobs / "sensor" / "model")

    assert not found["identical"]
    assert "ensemble.json is missing in the rebuilt model" in found["differences"]
    assert "model.txt is only in the rebuilt model" in found["differences"]


def test_nothing_to_compare_with_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    assert reproduce_job.main() == 1
    assert "original/model.tar.gz does not exist" in (tmp_path / "output" / "message").read_text()


def test_members_of_other_modes_are_rebuilt_identically_too(
    tiny_folder: Path, tmp_path: Path
) -> None:
    document = tiny_modes.configuration(identity="linear-learner", sensor="xgboost")

    first, second = (
        tiny_modes.train(tmp_path / name, tiny_folder, document) for name in ("a", "b")
    )

    assert file_digests(first) == file_digests(second)


class TakenAwayError(Exception):
    """The instance is taken away."""


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    tiny_folder: Path, tmp_path: Path
) -> None:
    config = ensemble_config_of(tiny_modes.configuration())
    member = config.member("sensor")
    rows = read_rows(tiny_folder, ("train", "validation"), member.inputs, config.split)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    fitted: list[str] = []

    def interrupt_after_the_first(line: str) -> None:
        raise TakenAwayError(line)

    def train(checkpoints: Checkpoints, progress: Any) -> Any:
        return train_member(
            config, member, rows, threads=1, progress=progress, checkpoints=checkpoints
        )

    with pytest.raises(TakenAwayError):
        train(Checkpoints(folder, "dataset-1"), interrupt_after_the_first)
    assert len(list(folder.iterdir())) == 1
    (folder / "model-half.part").write_text("tree")

    class Counting(Checkpoints):
        def model(self, facts: Any, fit: Any) -> str:
            return super().model(facts, lambda: fitted.append("fit") or fit())

    resumed = train(Counting(folder, "dataset-1"), lambda _line: None)
    whole = train(Checkpoints(tmp_path / "none", "dataset-1"), lambda _line: None)

    assert len(fitted) == 2  # three models, of which one was there
    assert resumed.model_text == whole.model_text
    assert resumed.out_of_fold_scores.tolist() == whole.out_of_fold_scores.tolist()


def test_checkpoints_of_other_inputs_are_not_taken(tmp_path: Path) -> None:
    first, other = Checkpoints(tmp_path, "dataset-1"), Checkpoints(tmp_path, "dataset-2")

    assert first.model({"seed": 1}, lambda: "a") == "a"
    assert first.model({"seed": 1}, lambda: "b") == "a"
    assert first.model({"seed": 2}, lambda: "c") == "c"
    assert other.model({"seed": 1}, lambda: "d") == "d"


def test_a_job_keeps_checkpoints_where_it_was_asked_to(tiny_folder: Path, tmp_path: Path) -> None:
    base = tiny_dataset.job(tmp_path, tiny_folder, {"task": "member", "member": "sensor"})
    (base / "checkpoints").mkdir()

    assert tiny_dataset.run_training(base) == 0
    assert len(list((base / "checkpoints").glob("model-*.txt"))) == 3


def test_an_archive_depends_on_its_content_alone() -> None:
    assert pack({"b": b"2", "a": b"1"}) == pack({"a": b"1", "b": b"2"})
    assert pack({"a": b"1"}) != pack({"a": b"2"})
