"""The ensemble of ``flight_delays`` fits the features that its use case computes."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from pipeline_code.inference.ensemble import any_known
from pipeline_code.training_pipeline.config_document import parse_ensemble_config
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.use_case import UseCase, load_use_case


@pytest.fixture(scope="module")
def use_case() -> UseCase:
    return load_use_case("flight_delays")


@pytest.fixture(scope="module")
def config() -> EnsembleConfig:
    return parse_ensemble_config(
        files("use_cases.flight_delays").joinpath("members.yaml").read_text(encoding="utf-8")
    )


def test_every_member_stands_for_one_group_of_inputs(
    use_case: UseCase, config: EnsembleConfig
) -> None:
    assert [member.source for member in config.members] == list(use_case.inputs)


def test_a_member_owns_features_of_its_source_only(
    use_case: UseCase, config: EnsembleConfig
) -> None:
    computed = use_case.features().FEATURES
    for member in config.members:
        assert set(member.features) <= set(computed[member.source]), member.name


def test_context_is_computed_from_what_every_request_has(
    use_case: UseCase, config: EnsembleConfig
) -> None:
    features = use_case.features().row_features(use_case.columns([schedule_only(use_case)]))
    for member in config.members:
        for name in member.context:
            assert not np.isnan(features[name].astype(float)[0]), name


def test_the_categorical_features_are_those_with_a_vocabulary(
    use_case: UseCase, config: EnsembleConfig
) -> None:
    assert config.categorical == set(use_case.features().CATEGORIES)


def test_a_member_is_unavailable_exactly_when_its_source_is_missing(
    use_case: UseCase, config: EnsembleConfig
) -> None:
    features = use_case.features().row_features(use_case.columns([schedule_only(use_case)]))
    there = {
        member.source: bool(
            any_known(
                np.array([[features[name][0] for name in config.evidence_of(member)]], np.float32)
            )[0]
        )
        for member in config.members
    }

    assert there == {"schedule": True, "weather": False, "network": False}


def test_the_calendar_month_is_no_feature(config: EnsembleConfig) -> None:
    assert not [name for name in config.features if "month" in name or "day_of_year" in name]


def test_the_stacker_learns_from_no_test_month(config: EnsembleConfig) -> None:
    last = max(window.score_through for window in config.out_of_fold)

    assert last < config.split["test"].first


def schedule_only(use_case: UseCase) -> dict[str, dict[str, object] | None]:
    values: dict[str, object] = {}
    for name, field in use_case.inputs["schedule"].items():
        if field.type == "datetime":
            values[name] = "2013-11-05T14:45"
        elif field.allowed:
            values[name] = field.allowed[0]
        else:
            values[name] = max(1, int(field.minimum or 0))
    return {"schedule": values, "weather": None, "network": None}
