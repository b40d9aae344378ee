"""The ensemble's answers: shares that add up, missing sources, one row as in a batch."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline_code.inference.ensemble import (
    ArtefactError,
    Stacker,
    combine,
    load_ensemble,
    probability_of,
)
from pipeline_code.inference.golden_check import load_golden_check
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.training_pipeline.dataset import read_rows
from tests.fixtures import tiny_dataset

STACKERS = {
    0: Stacker(base=-1.0, weights=(), centres=()),
    1: Stacker(base=-0.5, weights=(0.7,), centres=(0.1,)),
    2: Stacker(base=-0.6, weights=(0.9,), centres=(0.2,)),
    3: Stacker(base=-0.7, weights=(0.3, 0.8), centres=(0.1, 0.2)),
}
NAMES, SOURCES = ["a", "b"], ["ground", "sky"]


def test_base_and_shares_add_up_to_the_logit() -> None:
    answer = combine(STACKERS, NAMES, SOURCES, [1.5, -2.0], [True, True])

    logit = answer["base"] + answer["members"]["a"]["share"] + answer["members"]["b"]["share"]
    assert answer["probability"] == probability_of(logit)
    assert answer["members"]["b"] == {
        "probability": probability_of(-2.0),
        "share": 0.8 * (-2.0 - 0.2),
    }


def test_a_missing_source_is_named_and_the_weights_are_those_fitted_without_it() -> None:
    answer = combine(STACKERS, NAMES, SOURCES, [1.5, -2.0], [True, False])

    assert answer["missing_sources"] == ["sky"]
    assert answer["members"].keys() == {"a"}
    assert answer["probability"] == probability_of(-0.5 + 0.7 * (1.5 - 0.1))


def test_without_any_source_the_answer_is_the_base_rate() -> None:
    answer = combine(STACKERS, NAMES, SOURCES, [1.5, -2.0], [False, False])

    assert answer["probability"] == probability_of(-1.0)
    assert answer["missing_sources"] == SOURCES


def test_a_source_of_two_members_is_missing_once() -> None:
    stacker = {0: Stacker(base=-1.0, weights=(), centres=())}
    answer = combine(stacker, ["trees", "lines"], ["sky", "sky"], [0.0, 0.0], [False, False])
    assert answer["missing_sources"] == ["sky"]


@pytest.mark.parametrize("logit", [-2000.0, -30.0, 0.0, 30.0, 2000.0])
def test_a_probability_never_overflows(logit: float) -> None:
    assert 0.0 <= probability_of(logit) <= 1.0
    assert math.isclose(probability_of(logit) + probability_of(-logit), 1.0)


def calibrated(tiny_model: Path, folder: Path, calibration: dict[str, float]) -> Path:
    copy = Path(shutil.copytree(tiny_model, folder / "calibrated"))
    description = json.loads((copy / "ensemble.json").read_text())
    text = json.dumps({**description, "calibration": calibration})
    (copy / "ensemble.json").write_text(text)
    return copy


def test_a_calibrated_model_moves_the_logit_and_its_answers_still_add_up(
    tiny_model: Path, tmp_path: Path
) -> None:
    instances = tiny_dataset.instances(20, 9)
    plain = load_predictor(tiny_model).predict(instances)

    folder = calibrated(tiny_model, tmp_path, {"slope": 0.8, "intercept": -0.3})
    moved = load_predictor(folder).predict(instances)

    for before, after in zip(plain, moved, strict=True):
        logit = math.log(before["probability"] / (1 - before["probability"]))
        assert math.isclose(after["probability"], probability_of(0.8 * logit - 0.3), rel_tol=1e-9)
        total = after["base"] + sum(one["share"] for one in after["members"].values())
        assert math.isclose(after["probability"], probability_of(total), rel_tol=1e-12)


@pytest.mark.parametrize("slope", [0.0, -1.0, math.inf, math.nan])
def test_a_calibration_that_turns_answers_round_is_refused(
    tiny_model: Path, tmp_path: Path, slope: float
) -> None:
    folder = calibrated(tiny_model, tmp_path, {"slope": slope, "intercept": 0.0})

    with pytest.raises(ArtefactError, match="calibration is"):
        load_ensemble(folder)


def test_what_is_evaluated_is_what_is_served_bit_for_bit(
    tiny_folder: Path, tiny_model: Path
) -> None:
    predictor = load_predictor(tiny_model)
    rows = read_rows(tiny_folder, ("test",), predictor.ensemble.features)
    evaluated = predictor.ensemble.probabilities(rows.matrix(predictor.ensemble.features))

    served = [
        predictor.predict([instance])[0]["probability"]
        for instance in tiny_dataset.instances(tiny_dataset.ROWS, 200)
    ]

    assert served == evaluated.tolist()


def test_an_instance_without_a_group_is_answered_as_one_whose_values_are_unknown(
    tiny_model: Path,
) -> None:
    predictor = load_predictor(tiny_model)
    instance = tiny_dataset.instances(1, 3)[0]

    absent, null, unknown = predictor.predict(
        [
            {"identity": instance["identity"]},
            {**instance, "sensor": None},
            {**instance, "sensor": {"level": None}},
        ]
    )

    assert absent == null == unknown
    assert absent["missing_sources"] == ["sensor"]


def test_a_source_left_out_in_the_evaluation_is_a_source_missing_in_service(
    tiny_model: Path,
) -> None:
    predictor = load_predictor(tiny_model)
    instance = tiny_dataset.instances(1, 3)[0]
    matrix = predictor.feature_matrix([instance])

    left_out = predictor.ensemble.probabilities(matrix, frozenset({"sensor"}))

    missing = predictor.predict([{**instance, "sensor": None}])[0]["probability"]
    assert left_out.tolist() == [missing]


def test_the_feature_matrix_is_float32_in_the_ensembles_order(tiny_model: Path) -> None:
    predictor = load_predictor(tiny_model)
    instance = tiny_dataset.instances(1, 3)[0]

    matrix = predictor.feature_matrix([instance])

    assert matrix.dtype == np.float32
    assert matrix[0, predictor.ensemble.features.index("visitors")] == np.float32(
        instance["identity"]["visitors"]
    )


def test_the_golden_requests_cover_each_missing_source(tiny_model: Path) -> None:
    records = [json.loads(line) for line in (tiny_model / "golden.jsonl").open()]

    assert len(records) == 21
    assert records[-1]["prediction"]["missing_sources"] == ["sensor"]
    assert load_golden_check(load_predictor(tiny_model), tiny_model).every_failure() is None


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_a_changed_model_file_is_refused(copy: Path) -> None:
    path = copy / "members" / "sensor.txt"
    path.write_text(path.read_text().replace("shrinkage=0.1", "shrinkage=0.2"))

    with pytest.raises(ArtefactError, match=r"members/sensor.txt has digest"):
        load_ensemble(copy)


def test_an_artefact_of_another_format_is_refused(copy: Path) -> None:
    path = copy / "ensemble.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))

    with pytest.raises(ArtefactError, match="format 99"):
        load_ensemble(copy)


def test_an_artefact_without_a_stacker_for_every_set_is_refused(copy: Path) -> None:
    path = copy / "ensemble.json"
    document = json.loads(path.read_text())
    document["stackers"].pop()
    path.write_text(json.dumps(document))

    with pytest.raises(ArtefactError, match="lacks stackers"):
        load_ensemble(copy)


def test_a_model_that_reads_features_unknown_to_the_image_is_refused(copy: Path) -> None:
    path = copy / "ensemble.json"
    path.write_text(path.read_text().replace('"level"', '"depth"'))

    with pytest.raises(ArtefactError, match=r"depth.*do not belong together"):
        load_predictor(copy)


def test_a_wrong_golden_answer_is_found(copy: Path) -> None:
    path = copy / "golden.jsonl"
    records = [json.loads(line) for line in path.open()]
    records[5]["prediction"]["probability"] += 1e-12
    path.write_text("\n".join(json.dumps(record) for record in records))

    golden = load_golden_check(load_predictor(copy), copy)

    assert golden.failure() is None
    assert "the golden answer is" in (golden.every_failure() or "")


def test_a_folder_without_artefact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no ensemble artefact"):
        load_ensemble(tmp_path)
