"""The evaluation's parts against their definitions, and the whole job on a small dataset."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline_code.inference.ensemble import load_ensemble
from pipeline_code.training_pipeline import evaluate_job
from pipeline_code.training_pipeline.bootstrap import Days, gains, interval, sampled_metrics
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.dataset import read_rows
from pipeline_code.training_pipeline.importance import importances
from pipeline_code.training_pipeline.influence import influences
from pipeline_code.training_pipeline.metrics import calibration_curve, metrics_of
from pipeline_code.training_pipeline.slices import Slices
from tests.fixtures import tiny_dataset, tiny_modes


def world(rows: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, labels and probabilities with ties."""
    random = np.random.default_rng(2)
    probability = random.uniform(0.05, 0.95, rows).round(2)
    label = (random.random(rows) < probability).astype(float)
    return np.sort(random.integers(0, 30, rows)), label, probability


def test_a_sample_is_measured_as_the_rows_of_its_days_would_be() -> None:
    day, label, probability = world()
    days = Days.draw(day, 3, seed=1)

    found = sampled_metrics(days, label, probability)

    for sample, draw in enumerate(days.draws):
        rows = np.concatenate(
            [np.flatnonzero(days.of_row == d).repeat(n) for d, n in enumerate(draw)]
        )
        expected = metrics_of(label[rows], probability[rows])
        for name in ("auc", "pr_auc", "log_loss", "brier"):
            assert found[name][sample] == pytest.approx(expected[name], abs=1e-12), name


def test_the_same_seed_draws_the_same_days_and_intervals_hold_the_figure() -> None:
    day, label, probability = world()
    days = Days.draw(day, 200, seed=1)

    assert np.array_equal(days.draws, Days.draw(day, 200, seed=1).draws)
    assert not np.array_equal(days.draws, Days.draw(day, 200, seed=2).draws)
    found = interval(sampled_metrics(days, label, probability)["auc"])
    assert found["low"] < metrics_of(label, probability)["auc"] < found["high"]


def test_a_clear_gain_is_certain_and_one_within_noise_is_not() -> None:
    day, label, probability = world()
    days = Days.draw(day, 200, seed=1)
    noise = np.random.default_rng(3).normal(0, 0.002, len(label))
    rivals = {
        "worse": np.full(len(label), 0.5),
        "alike": np.clip(probability + noise, 0.01, 0.99),
        "itself": probability,
    }

    found = {
        name: gains(
            (metrics_of(label, probability), metrics_of(label, rival)),
            (sampled_metrics(days, label, probability), sampled_metrics(days, label, rival)),
        )["log_loss"]
        for name, rival in rivals.items()
    }

    assert found["worse"]["low"] > 0
    assert found["worse"]["chance"] == 1
    assert found["alike"]["low"] < 0 < found["alike"]["high"]
    assert found["itself"] == {"gain": 0, "low": 0, "high": 0, "chance": 0}


def test_the_calibration_curve_has_equally_filled_bins_in_order() -> None:
    _, label, probability = world()

    found = calibration_curve(label, probability)

    assert [one["rows"] for one in found] == [300] * 10
    assert [one["mean_probability"] for one in found] == sorted(
        one["mean_probability"] for one in found
    )
    assert found[9]["rate"] == pytest.approx(found[9]["mean_probability"], abs=0.1)


EXTRAS = {
    "slice_bands": [{"name": "crowd", "column": "visitors", "edges": [500]}],
    "slice_seasons": {"summer": [6, 7, 8], "winter": [12, 1, 2]},
    "fairness": {"columns": ["shop"], "threshold": 0.4},
    "evaluation": {"bootstrap_samples": 30, "influence_rows": 200, "black_box": True},
}


def test_slices_are_cut_by_bands_and_seasons(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_code.training_pipeline.slices.MIN_SLICE_ROWS", 50)
    config = ensemble_config_of({**tiny_modes.configuration(), **EXTRAS})
    rows = read_rows(tiny_folder, ("test",), ["visitors", "shop"])

    masks = Slices(rows, config).masks

    assert set(masks["crowd"]) == {"below 500", "from 500"}
    visitors = rows.matrix(["visitors"])[:, 0]
    assert np.array_equal(masks["crowd"]["from 500"], visitors >= 500)
    assert masks["season"]["summer"].all()


def test_groups_are_put_beside_each_other(tiny_folder: Path) -> None:
    config = ensemble_config_of({**tiny_modes.configuration(), **EXTRAS})
    rows = read_rows(tiny_folder, ("train",), ["visitors", "shop"])
    south = rows.texts("shop") == "south"
    probability = np.where(south, 0.9, 0.1)

    found = Slices(rows, config).fairness("shop", rows.label, probability, 0.4)

    assert found["groups"]["south"]["alert_rate"] == 1
    assert found["groups"]["north"]["true_positive_rate"] == 0
    assert found["max_true_positive_gap"] == 1
    assert found["max_calibration_gap"] == pytest.approx(
        max(0.9 - rows.label[south].mean(), abs(0.1 - rows.label[~south].mean()))
    )


def test_a_changed_feature_moves_only_what_reads_it(tiny_folder: Path, tiny_model: Path) -> None:
    ensemble = load_ensemble(tiny_model)
    rows = read_rows(tiny_folder, ("test",), ensemble.features)
    matrix = rows.matrix(ensemble.features)

    found = influences(ensemble, matrix, rows.label, rows=300, seed=1)

    assert found["level"]["members"] == ["sensor"]
    assert found["level"]["mean_change"] > 10 * found["visitors"]["mean_change"]
    assert found["level"]["auc_loss"] > 0.1
    assert found["level"]["mean_change"] <= found["level"]["p95_change"]
    assert found["level"]["p95_change"] <= found["level"]["max_change"]
    assert found == influences(ensemble, matrix, rows.label, rows=300, seed=1)
    assert influences(ensemble, matrix, rows.label, rows=0, seed=1) == {}


def test_importance_adds_up_in_members_of_every_kind(tiny_folder: Path, tmp_path: Path) -> None:
    document = tiny_modes.configuration(identity="sklearn", sensor="xgboost")
    model = tiny_modes.train(tmp_path, tiny_folder, document)

    found = importances(model, json.loads((model / "ensemble.json").read_text())["members"])

    assert all(sum(shares.values()) == pytest.approx(1) for shares in found.values())
    assert next(iter(found["identity"])) == "shop_code"
    assert next(iter(found["sensor"])) == "level"


def evaluate(
    base: Path, dataset: Path, challenger: Path, champion: Path, document: dict[str, Any]
) -> dict[str, Any]:
    inputs = base / "processing" / "input"
    inputs.mkdir(parents=True)
    (inputs / "dataset").symlink_to(dataset)
    tiny_modes.write_config(inputs / "config", document)
    tiny_dataset.pack(challenger, inputs / "challenger")
    tiny_dataset.pack(champion, inputs / "champion")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(base))
        assert evaluate_job.main() == 0, (base / "output" / "message").read_text()
    output = base / "processing" / "output" / "evaluation"
    return json.loads((output / "evaluation.json").read_text())


def test_the_report_holds_all_that_a_verdict_can_ask_for(
    tiny_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    found = evaluate(
        tmp_path, tiny_folder, tiny_model, tiny_model, {**tiny_modes.configuration(), **EXTRAS}
    )

    assert found["intervals"]["auc"]["low"] < found["challenger"]["auc"]
    assert found["comparison"]["metrics"]["log_loss"]["gain"] == 0
    assert found["comparison"]["members"] == {"identity": 0, "sensor": 0}
    assert found["comparison"]["champion_missing"] == {}
    assert set(found["fairness"]) == {"shop"}
    assert set(found["influence"]) == {"shop_code", "visitors", "level", "hour"}
    assert found["decomposition"]["max_error"] < 1e-12
    assert found["baselines"]["black_box"]["auc"] > 0.7
    assert found["member_modes"] == {"identity": "C", "sensor": "C"}
    assert found["stacked_on"] == "out_of_fold"
    assert found["latency"]["p50"] <= found["latency"]["p99"]
    assert found["latency_ms_p50"] == found["latency"]["p50"]
    page = (tmp_path / "processing/output/evaluation/evaluation.html").read_text()
    assert page.count("<svg") >= 5
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page)


def without_level(dataset: Path, into: Path) -> Path:
    """Copy a dataset as a later one would be, whose sensor was taken down."""
    shutil.copytree(dataset, into)
    for path in into.rglob("*.parquet"):
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["level"]), path)
    return into


def test_a_champion_whose_feature_is_gone_is_measured_without_that_source(
    tiny_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    dataset = without_level(tiny_folder, tmp_path / "dataset")
    document = tiny_modes.configuration()
    document["members"][1]["enabled"] = False
    challenger = tiny_modes.train(tmp_path / "jobs", dataset, document)

    found = evaluate(tmp_path / "job", dataset, challenger, tiny_model, document)

    assert found["comparison"]["champion_missing"] == {"sensor": ["level"]}
    ensemble = load_ensemble(tiny_model)
    rows = read_rows(tiny_folder, ("test",), ensemble.features)
    expected = ensemble.probabilities(rows.matrix(ensemble.features), frozenset({"sensor"}))
    assert found["champion"] == metrics_of(rows.label, expected)
    page = (tmp_path / "job/processing/output/evaluation/evaluation.html").read_text()
    assert "measured without sensor" in page
