"""Members of every mode that runs here train from one changed line, stack and answer requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from pipeline_code.inference.ensemble import load_ensemble
from pipeline_code.inference.golden_check import load_golden_check
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.training_pipeline.dataset import read_rows
from pipeline_code.training_pipeline.metrics import auc
from tests.fixtures import tiny_dataset, tiny_modes


def ensemble_quality(model: Path, dataset: Path) -> float:
    ensemble = load_ensemble(model)
    rows = read_rows(dataset, ("test",), ensemble.features)
    return auc(rows.label, ensemble.probabilities(rows.matrix(ensemble.features)))


@pytest.mark.parametrize(
    ("algorithm", "file"),
    [("xgboost", "sensor.ubj"), ("linear-learner", "sensor.json"), ("sklearn", "sensor.json")],
)
def test_one_changed_line_trains_a_member_elsewhere(
    algorithm: str, file: str, tiny_folder: Path, tmp_path: Path
) -> None:
    document = tiny_modes.configuration(sensor=algorithm)

    model = tiny_modes.train(tmp_path, tiny_folder, document)

    described = json.loads((model / "ensemble.json").read_text())
    assert described["stacked_on"] == "validation"
    assert described["members"][1]["algorithm"] == algorithm
    assert (model / "members" / file).is_file()
    assert ensemble_quality(model, tiny_folder) > 0.8
    predictor = load_predictor(model)
    assert load_golden_check(predictor, model).every_failure() is None


def test_a_pretrained_member_is_taken_as_it_is(tiny_folder: Path, tmp_path: Path) -> None:
    rows = read_rows(tiny_folder, ("train",), ["level", "hour"])
    data = lightgbm.Dataset(rows.matrix(["level", "hour"]), rows.label)
    booster = lightgbm.train({"objective": "binary", "num_threads": 1, "verbosity": -1}, data, 5)
    (tmp_path / "made").mkdir()
    booster.save_model(tmp_path / "made" / "model.txt")
    tiny_dataset.pack(tmp_path / "made", tmp_path / "store")
    chosen = tiny_modes.pretrained(tmp_path / "store" / "model.tar.gz")

    model = tiny_modes.train(
        tmp_path / "jobs", tiny_folder, tiny_modes.configuration(sensor=chosen)
    )

    matrix = rows.matrix(["level", "hour"])
    served = load_ensemble(model).members[1].scorer.raw_scores(matrix)
    assert np.array_equal(served, booster.predict(matrix, raw_score=True))


def test_a_member_alone_goes_back_to_an_earlier_training(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    tiny_dataset.pack(tiny_jobs / "sensor" / "model", tmp_path / "store")
    chosen = tiny_modes.pretrained(tmp_path / "store" / "model.tar.gz")
    document = tiny_modes.configuration(sensor=chosen)

    model = tiny_modes.train(tmp_path / "jobs", tiny_folder, document)

    earlier = (tiny_jobs / "sensor" / "model" / "model.txt").read_bytes()
    assert (model / "members" / "sensor.txt").read_bytes() == earlier
    document["members"][1]["context"] = []
    with pytest.raises(AssertionError, match=r"has context \['hour'\], this run expects \[\]"):
        tiny_modes.train(tmp_path / "other", tiny_folder, document)


def test_a_pretrained_artefact_with_one_other_byte_is_refused(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    tiny_dataset.pack(tiny_jobs / "sensor" / "model", tmp_path / "store")
    archive = tmp_path / "store" / "model.tar.gz"
    chosen = tiny_modes.pretrained(archive)
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")

    with pytest.raises(AssertionError, match="the configuration asks for"):
        tiny_modes.train(tmp_path / "jobs", tiny_folder, tiny_modes.configuration(sensor=chosen))


def refused(document: dict[str, Any], tiny_jobs: Path, dataset: Path, base: Path) -> str:
    """Stack with artefacts of our own for all members; answer why that failed."""
    stack = tiny_dataset.job(base, dataset, {"task": "stack"})
    (stack / "input" / "data" / "config").mkdir()
    (stack / "input" / "data" / "config" / "c.json").write_text(json.dumps(document))
    for name in ("identity", "sensor"):
        tiny_dataset.pack(tiny_jobs / name / "model", stack / "input" / "data" / f"member-{name}")
    assert tiny_dataset.run_training(stack) == 1
    return (stack / "output" / "failure").read_text()


def test_a_member_worse_than_its_gate_stays_out_of_the_ensemble(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    tiny_dataset.pack(tiny_jobs / "sensor" / "model", tmp_path / "store")
    document = tiny_modes.configuration(
        sensor=tiny_modes.pretrained(tmp_path / "store" / "model.tar.gz")
    )
    document["members"][0]["gate"]["min_auc"] = 0.99

    reason = refused(document, tiny_jobs, tiny_folder, tmp_path / "job")

    assert "MemberGateError: member identity has AUC 0." in reason
    assert "on the validation months" in reason


def test_a_member_trained_earlier_is_held_against_the_gate_of_today(
    tiny_jobs: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    document = tiny_modes.configuration()
    document["members"][1]["gate"]["min_auc"] = 0.99

    reason = refused(document, tiny_jobs, tiny_folder, tmp_path / "job")

    assert "MemberGateError: member sensor has AUC 0." in reason
    assert "out of fold" in reason


def test_an_artefact_without_a_scorer_is_refused_by_name(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "weights.bin").write_bytes(b"?")
    tiny_dataset.pack(tmp_path / "made", tmp_path / "store")
    chosen = tiny_modes.pretrained(tmp_path / "store" / "model.tar.gz")

    with pytest.raises(AssertionError, match=r"its artefact holds \['weights.bin'\], but none of"):
        tiny_modes.train(tmp_path / "jobs", tiny_folder, tiny_modes.configuration(sensor=chosen))


def test_trees_get_the_features_as_they_are_and_linear_models_standardised_ones(
    tiny_folder: Path, tmp_path: Path
) -> None:
    document = tiny_modes.configuration(identity="linear-learner", sensor="xgboost")

    prepared = tiny_modes.prepare(tmp_path, tiny_folder, document)

    known = read_rows(tiny_folder, ("validation",), ["level", "hour"])
    matrix = known.matrix(["level", "hour"])
    there = ~np.isnan(matrix[:, 0])
    csv = np.loadtxt(prepared / "sensor" / "validation" / "data.csv", delimiter=",")
    assert np.array_equal(csv[:, 0], known.label[there])
    assert np.array_equal(csv[:, 1:].astype(np.float32), matrix[there])
    scaled = np.loadtxt(prepared / "identity" / "train" / "data.csv", delimiter=",")[:, 1:]
    assert scaled.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert scaled.std(axis=0) == pytest.approx([1, 1], abs=1e-6)


def test_a_preparation_has_the_same_bytes_every_time(tiny_folder: Path, tmp_path: Path) -> None:
    document = tiny_modes.configuration(identity="sklearn", sensor="xgboost")

    first, second = (
        tiny_modes.prepare(tmp_path / name, tiny_folder, document) for name in ("a", "b")
    )

    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert [str(path) for path in files] == [
        "identity/code/sourcedir.tar.gz",
        "identity/train/data.csv",
        "identity/validation/data.csv",
        "preprocessing/identity.json",
        "preprocessing/sensor.json",
        "sensor/train/data.csv",
        "sensor/validation/data.csv",
    ]
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in files)


def test_a_change_of_the_data_window_needs_no_new_dataset(
    tiny_folder: Path, tmp_path: Path
) -> None:
    document = tiny_modes.configuration()
    document["split"]["train"] = {"first": "2020-02", "last": "2020-03"}
    document["split"]["validation"] = {"first": "2020-04", "last": "2020-04"}
    document["out_of_fold"] = [{"train_through": "2020-03", "score_through": "2020-04"}]

    base = tiny_dataset.job(tmp_path, tiny_folder, {"task": "member", "member": "sensor"})
    (base / "input" / "data" / "config").mkdir()
    (base / "input" / "data" / "config" / "c.json").write_text(json.dumps(document))
    assert tiny_dataset.run_training(base) == 0

    metrics = json.loads((base / "model" / "member.json").read_text())["out_of_fold_metrics"]
    assert 0.9 * tiny_dataset.ROWS < metrics["rows"] <= tiny_dataset.ROWS
