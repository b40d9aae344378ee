"""An additive ensemble is one model, and each member its own trees of it."""

from __future__ import annotations

import json
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from pipeline_code.inference.booster import Booster
from pipeline_code.training_pipeline.additive import Block, NoTreesError, carve
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfigError
from pipeline_code.training_pipeline.reproduce_job import compare
from tests.fixtures import tiny_dataset, tiny_modes

BLOCKS = {"first": Block(0, 3), "second": Block(3, 2), "third": Block(5, 4)}
ADDITIVE = {"rounds": 12, "num_leaves": 4, "min_data_in_leaf": 5}


def joint_model(seed: int, **parameters: object) -> tuple[lightgbm.Booster, np.ndarray]:
    """Fit a model of three members; the last column of one is the first of another again."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(600, 9)).astype(np.float32)
    matrix[:, 1] = random.integers(0, 5, 600)
    matrix[:, 5] = matrix[:, 4]
    matrix[random.random((600, 9)) < 0.1] = np.nan
    signal = np.nan_to_num(matrix[:, [0, 4, 7]]).sum(axis=1) + (matrix[:, 1] == 2)
    label = (signal + random.normal(size=600) > 0).astype(float)
    data = lightgbm.Dataset(matrix, label, categorical_feature=[1])
    fixed = {"objective": "binary", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 5}
    groups = [block.columns for block in BLOCKS.values()]
    model = lightgbm.train(
        {**fixed, "interaction_constraints": groups, **parameters}, data, num_boost_round=30
    )
    return model, matrix


@pytest.mark.parametrize("seed", range(5))
def test_the_members_trees_are_the_joint_models_and_each_is_somebodys(seed: int) -> None:
    model, matrix = joint_model(seed)

    shares = {}
    for name, block in BLOCKS.items():
        own = matrix[:, block.columns]
        text = carve(model.model_to_string(), name, block)
        shares[name] = Booster(text).raw_scores(own)
        assert np.array_equal(lightgbm.Booster(model_str=text).predict(own, raw_score=True),
                              shares[name])  # fmt: skip

    counted = sum(
        lightgbm.Booster(model_str=carve(model.model_to_string(), name, block)).num_trees()
        for name, block in BLOCKS.items()
    )
    assert counted == model.num_trees() == 30
    total = sum(shares.values())
    assert np.abs(total - model.predict(matrix, raw_score=True)).max() < 1e-12


def test_a_member_that_tells_nothing_is_named() -> None:
    model, _ = joint_model(1, feature_contri=[1] * 5 + [1e-9] * 4)
    with pytest.raises(NoTreesError, match="third"):
        carve(model.model_to_string(), "third", BLOCKS["third"])


def test_a_tree_of_two_members_is_refused() -> None:
    model, _ = joint_model(1, interaction_constraints=[list(range(9))])
    with pytest.raises(ValueError, match="two members'"):
        carve(model.model_to_string(), "first", BLOCKS["first"])


def test_one_line_makes_an_ensemble_additive_and_the_same_again_the_same_bytes(
    tiny_folder: Path, tmp_path: Path
) -> None:
    document = {**tiny_modes.configuration(), "additive": ADDITIVE}

    model = tiny_modes.train(tmp_path / "first", tiny_folder, document)
    again = tiny_modes.train(tmp_path / "again", tiny_folder, document)

    assert compare(model, again)["identical"]
    described = json.loads((model / "ensemble.json").read_text())
    assert described["stacked_on"] == "out_of_fold"
    trees = [
        lightgbm.Booster(model_file=str(model / member["file"])).num_trees()
        for member in described["members"]
    ]
    assert sum(trees) == ADDITIVE["rounds"]
    assert min(trees) > 0
    whole = next(one for one in described["stackers"] if len(one["members"]) == 2)
    assert all(weight > 0 for weight in whole["weights"])


@pytest.mark.parametrize(
    ("members", "additive", "field"),
    [
        ({"sensor": "xgboost"}, ADDITIVE, "members[1].algorithm"),
        ({}, {"rounds": 0}, "additive.rounds"),
        ({}, [1], "additive"),
    ],
)
def test_what_an_additive_ensemble_cannot_be_is_refused_by_field(
    members: dict[str, str], additive: object, field: str
) -> None:
    tiny_dataset.install()
    with pytest.raises(EnsembleConfigError) as caught:
        ensemble_config_of({**tiny_modes.configuration(**members), "additive": additive})
    assert caught.value.field == field
