"""The training and evaluation jobs in SageMaker's folders, run for real on a small dataset."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline_code.training_pipeline import evaluate_job
from tests.fixtures import tiny_dataset


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def failure(base: Path) -> str:
    return (base / "output" / "failure").read_text()


def test_the_same_inputs_give_the_same_bytes(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    again = tiny_dataset.train(tiny_folder, tmp_path)

    for name in ("identity", "sensor", "stack"):
        assert digests(again / name / "model") == digests(tiny_jobs / name / "model")


def test_another_seed_and_other_parameters_give_another_member(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    base = tiny_dataset.job(
        tmp_path / "job",
        tiny_folder,
        {"task": "member", "member": "sensor", "seed": "8", "override.rounds": "2"},
    )

    assert tiny_dataset.run_training(base) == 0
    assert (base / "model" / "model.txt").read_text().count("\nTree=") == 2
    assert digests(base / "model") != digests(tiny_jobs / "sensor" / "model")


def test_a_job_prints_its_metrics_one_a_line(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tiny_dataset.job(tmp_path / "j", tiny_folder, {"task": "member", "member": "sensor"})

    tiny_dataset.run_training(base)

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("auc=0.") for line in lines)
    assert any("trained through 2020-02" in line for line in lines)


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({}, "'task' is missing"),
        ({"task": "guess"}, "'guess'"),
        ({"task": "member"}, "'member' is missing"),
        ({"task": "member", "member": "moon"}, "identity, sensor"),
        ({"task": "member", "member": "sensor", "threads": "many"}, "'threads' is 'many'"),
        ({"task": "member", "member": "sensor", "override.max_depth": "x"}, "override.max_depth"),
        ({"task": "member", "member": "sensor", "use_case": "moon"}, "use_cases.moon"),
        ({"task": "stack"}, "member-identity"),
    ],
)
def test_a_job_that_cannot_run_says_why_and_exits_non_zero(
    tiny_folder: Path, tmp_path: Path, hyperparameters: dict[str, str], reason: str
) -> None:
    base = tiny_dataset.job(tmp_path / "job", tiny_folder, hyperparameters)

    assert tiny_dataset.run_training(base) == 1
    assert reason in failure(base)


def test_a_member_worse_than_its_gate_fails_its_job(tiny_folder: Path, tmp_path: Path) -> None:
    base = tiny_dataset.job(
        tmp_path / "job",
        tiny_folder,
        {"task": "member", "member": "sensor", "override.min_data_in_leaf": "100000"},
    )

    assert tiny_dataset.run_training(base) == 1
    assert "MemberGateError: member sensor has AUC 0.5" in failure(base)
    assert not (base / "model" / "model.txt").exists()


def test_the_stacker_refuses_members_of_another_dataset(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "dataset"
    shutil.copytree(tiny_folder, other)
    (other / "manifest.json").write_text(json.dumps({"dataset_id": "dataset-2"}))
    base = tiny_dataset.job(tmp_path / "job", other, {"task": "stack"})
    for name in ("identity", "sensor"):
        tiny_dataset.pack(tiny_jobs / name / "model", base / "input" / "data" / f"member-{name}")

    assert tiny_dataset.run_training(base) == 1
    assert "dataset_id 'dataset-1', this run expects 'dataset-2'" in failure(base)


def evaluation_job(base: Path, dataset: Path, model: Path, *, champion: bool) -> Path:
    inputs = base / "processing" / "input"
    inputs.mkdir(parents=True)
    (inputs / "dataset").symlink_to(dataset)
    tiny_dataset.pack(model, inputs / "challenger")
    if champion:
        tiny_dataset.pack(model, inputs / "champion")
    return base


def test_the_evaluation_measures_all_that_the_verdict_needs(
    tiny_folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = evaluation_job(tmp_path, tiny_folder, tiny_model, champion=True)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))

    assert evaluate_job.main() == 0

    output = base / "processing" / "output" / "evaluation" / "evaluation.json"
    found = json.loads(output.read_text())
    assert found["dataset_id"] == "dataset-1"
    assert found["challenger"]["rows"] == tiny_dataset.ROWS
    assert found["champion"] == found["challenger"]
    assert found["champion_slices"] == found["slices"]
    assert set(found["slices"]["shop"]) <= {"north", "south"}
    assert set(found["members"]) == {"identity", "sensor"}
    assert found["challenger"]["auc"] > found["baselines"]["base_rate"]["auc"] == 0.5
    assert found["without_source"]["sensor"]["auc"] < found["challenger"]["auc"]
    assert found["baselines"]["logistic_regression"]["auc"] > 0.7
    assert found["model_size_bytes"] > 1000
    assert found["latency_ms_p50"] > 0


def test_an_evaluation_without_champion_has_no_champion(
    tiny_folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = evaluation_job(tmp_path, tiny_folder, tiny_model, champion=False)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))

    assert evaluate_job.main() == 0
    output = base / "processing" / "output" / "evaluation" / "evaluation.json"
    assert "champion" not in json.loads(output.read_text())


def test_an_evaluation_without_challenger_says_so(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "processing" / "input").mkdir(parents=True)
    (tmp_path / "processing" / "input" / "dataset").symlink_to(tiny_folder)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    assert evaluate_job.main() == 1
    message = (tmp_path / "output" / "message").read_text()
    assert "challenger/model.tar.gz does not exist" in message
