"""The ensemble's configuration: what is refused, with the field's name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline_code.job_folders import HyperparameterError
from pipeline_code.training_pipeline.ensemble_config import (
    EnsembleConfigError,
    load_ensemble_config,
    parse_ensemble_config,
)
from pipeline_code.training_pipeline.overrides import with_overrides
from tests.fixtures.tiny_dataset import USE_CASES

TINY = USE_CASES / "tiny" / "members.yaml"


def document() -> dict[str, Any]:
    return yaml.safe_load(TINY.read_text())


def change(path: str, value: Any) -> str:
    tree = document()
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    node: Any = tree
    for step in parents:
        node = node[step]
    node[last] = value
    return yaml.safe_dump(tree)


def test_a_member_reads_its_own_features_first_and_then_its_context() -> None:
    config = load_ensemble_config(TINY)

    assert config.member("sensor").inputs == ("level", "hour")
    assert config.features == ("shop_code", "visitors", "level", "hour")


def test_codes_of_categories_are_no_evidence_that_a_source_is_there() -> None:
    config = load_ensemble_config(TINY)

    assert config.evidence_of(config.member("identity")) == ("visitors",)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("seed", "seven", "seed"),
        ("seed", True, "seed"),
        ("split.train.first", "2020-13", "split.train.first"),
        ("split.train.last", "2019-12", "split.train.last"),
        ("split.validation.first", "2020-04", "split.validation.first"),
        ("members", [], "members"),
        ("members.0.algorithm", "oracle", "members[0].algorithm"),
        ("members.0.rounds", 0, "members[0].rounds"),
        ("members.0.featurs", [], "members[0].featurs"),
        ("members.0.features", ["shop_code"], "members[0].features"),
        ("members.1.features", ["level", "level"], "members[1].features"),
        ("members.1.context", ["level"], "members[1].context"),
        ("members.1.name", "identity", "members"),
        ("members.1.gate.min_auc", 1.2, "members[1].gate.min_auc"),
        ("categorical", ["colour"], "categorical"),
        ("out_of_fold", [], "out_of_fold"),
        ("out_of_fold.0.score_through", "2020-02", "out_of_fold[0].score_through"),
        ("out_of_fold.1.train_through", "2020-01", "out_of_fold[1].train_through"),
        ("stacker.algorithm", "forest", "stacker.algorithm"),
        ("stacker.l2", -1, "stacker.l2"),
        ("gates.max_ece", None, "gates.max_ece"),
        ("gates.max_model_size_bytes", 1.5, "gates.max_model_size_bytes"),
    ],
)
def test_an_error_names_the_field_and_its_value(path: str, value: Any, field: str) -> None:
    with pytest.raises(EnsembleConfigError) as caught:
        parse_ensemble_config(change(path, value))

    assert caught.value.field == field
    assert f"members.yaml: {field} is " in str(caught.value)


def test_an_unknown_member_is_answered_with_the_known_ones() -> None:
    with pytest.raises(EnsembleConfigError, match="identity, sensor"):
        load_ensemble_config(TINY).member("moon")


def test_hyperparameters_override_parameters_and_rounds() -> None:
    config = with_overrides(
        load_ensemble_config(TINY),
        99,
        {"override.num_leaves": "9", "override.rounds": "3", "task": "member"},
        prefix="override.",
    )

    member = config.member("sensor")
    assert (config.seed, member.rounds) == (99, 3)
    assert member.parameters == {"num_leaves": 9, "min_data_in_leaf": 5}


@pytest.mark.parametrize("text", ["nine", "", "{"])
def test_an_override_that_is_no_json_is_refused_by_name(text: str) -> None:
    with pytest.raises(HyperparameterError, match=r"override\.num_leaves"):
        with_overrides(
            load_ensemble_config(TINY), 1, {"override.num_leaves": text}, prefix="override."
        )


def test_every_use_case_of_the_repository_has_a_valid_configuration() -> None:
    configurations = sorted(Path(str(files("use_cases"))).glob("*/members.yaml"))

    assert configurations
    for path in configurations:
        assert load_ensemble_config(path).members
