"""The ensemble's configuration: what is refused, with the field's name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline_code.job_folders import HyperparameterError
from pipeline_code.training_pipeline.algorithms import DEFAULTS
from pipeline_code.training_pipeline.config_document import (
    load_ensemble_config,
    parse_ensemble_config,
)
from pipeline_code.training_pipeline.config_schema import PUBLISHED, SCHEMA
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfigError
from pipeline_code.training_pipeline.member_jobs import member_job, member_jobs
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
        ("members.0.parameters.lightgbm.rounds", 0, "members[0].parameters.lightgbm.rounds"),
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


MUTATIONS: list[tuple[str, Any]] = [
    ("version", 2),
    ("seed", 1.5),
    ("split.train.first", "2020-00"),
    ("members.0.algorithm", {"pretrained": {"uri": "s3://b/m.tar.gz"}}),
    ("members.0.algorithm", {"pretrained": {"uri": "http://b/m", "sha256": "0" * 64}}),
    ("members.0.algorithm", {"marketplace_model": "nothing"}),
    ("members.0.search", {"lightgbm": {"num_leaves": {"type": "list"}}}),
    ("members.0.parameters", {"oracle": {}}),
    ("members.0.parameters", {"lightgbm": {"num_leaves": [1]}}),
    ("members.0.resources", {"instance_type": "m5.large"}),
    ("members.0.enabled", "yes"),
    ("slice_seasons", {"winter": [12, 13]}),
    ("slice_bands", [{"name": "n", "column": "visitors", "edges": []}]),
    ("tuning", {"strategy": "Hope", "max_jobs": 1, "max_parallel_jobs": 1}),
    ("evaluation", {"bootstrap_samples": -1}),
    ("gates.without_source", {"sensor": {"min_auc": 0.6}}),
    ("resources", {"spot": True, "budget_seconds": 59}),
    ("intended_use", " "),
    ("surprise", 1),
]


@pytest.mark.parametrize(("path", "value"), MUTATIONS)
def test_the_published_schema_and_the_loader_refuse_the_same(path: str, value: Any) -> None:
    text = change(path, value)

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
    with pytest.raises(EnsembleConfigError, match=re.escape(path.split(".", maxsplit=1)[0])):
        parse_ensemble_config(text)


ALGORITHMS = [
    ("lightgbm", "C"),
    ("xgboost", "A"),
    ("linear-learner", "A"),
    ("sklearn", "B"),
    ({"pretrained": {"uri": "s3://bucket/model.tar.gz", "sha256": "a" * 64}}, "D"),
    ({"marketplace_algorithm": "arn:aws:sagemaker:eu-west-1:1:algorithm/x"}, "E"),
    ({"marketplace_model": "arn:aws:sagemaker:eu-west-1:1:model-package/x"}, "F"),
]


@pytest.mark.parametrize(("value", "mode"), ALGORITHMS)
def test_one_line_changes_how_a_member_gets_its_model(value: Any, mode: str) -> None:
    text = change("members.0.algorithm", value)
    config = parse_ensemble_config(text)
    jsonschema.validate(yaml.safe_load(text), SCHEMA)

    job = member_job(config, config.members[0], use_case="tiny", threads=1)

    assert job["mode"] == mode
    assert all(isinstance(text, str) for text in job["hyperparameters"].values())
    assert set(config.members[0].parameters) == set(DEFAULTS.get(job["algorithm"], {}))


def test_parameters_of_other_algorithms_wait_until_theirs_is_chosen() -> None:
    tree = document()
    tree["members"][0]["parameters"]["xgboost"] = {"max_depth": 3}
    assert "max_depth" not in parse_ensemble_config(yaml.safe_dump(tree)).members[0].parameters

    tree["members"][0]["algorithm"] = "xgboost"
    config = parse_ensemble_config(yaml.safe_dump(tree))
    job = member_job(config, config.members[0], use_case="tiny", threads=1)

    assert job["hyperparameters"]["max_depth"] == "3"
    assert job["hyperparameters"]["objective"] == "binary:logistic"
    assert job["channels"] == {
        "train": "prepared/identity/train",
        "validation": "prepared/identity/validation",
    }


def test_what_is_searched_is_a_range_and_no_hyperparameter() -> None:
    tree = document()
    tree["tuning"] = {"strategy": "Random", "max_jobs": 4, "max_parallel_jobs": 2}
    tree["members"][0]["search"] = {
        "lightgbm": {"num_leaves": {"type": "integer", "min": 4, "max": 8, "scaling": "Linear"}},
        "xgboost": {"eta": {"type": "continuous", "min": 0.01, "max": 0.5}},
    }
    config = parse_ensemble_config(yaml.safe_dump(tree))
    own = member_job(config, config.members[0], use_case="tiny", threads=1)
    tree["members"][0]["algorithm"] = "xgboost"
    config = parse_ensemble_config(yaml.safe_dump(tree))
    built_in = member_job(config, config.members[0], use_case="tiny", threads=1)

    assert own["parameter_ranges"]["IntegerParameterRanges"] == [
        {"Name": "override.num_leaves", "MinValue": "4", "MaxValue": "8", "ScalingType": "Linear"}
    ]
    assert own["objective"] == {"Type": "Maximize", "MetricName": "auc"}
    assert "eta" not in built_in["hyperparameters"]
    assert built_in["objective"]["MetricName"] == "validation:auc"


def test_the_member_with_most_work_is_first_to_get_a_place() -> None:
    tree = document()
    config = parse_ensemble_config(yaml.safe_dump(tree))
    jobs = member_jobs(config, use_case="tiny", threads=1)
    assert [job["name"] for job in jobs] == ["sensor", "identity"]

    tree["tuning"] = {"strategy": "Random", "max_jobs": 4, "max_parallel_jobs": 2}
    tree["members"][0]["search"] = {"lightgbm": {"a": {"type": "integer", "min": 4, "max": 8}}}
    config = parse_ensemble_config(yaml.safe_dump(tree))
    jobs = member_jobs(config, use_case="tiny", threads=1)
    assert [job["name"] for job in jobs] == ["identity", "sensor"]


def test_a_disabled_member_takes_no_part() -> None:
    config = parse_ensemble_config(change("members.1.enabled", False))

    assert [member.name for member in config.members] == ["identity"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            {"members.0.search": {"lightgbm": {"a": {"type": "integer", "min": 1, "max": 2}}}},
            "tuning",
        ),
        ({"fairness": {"columns": ["colour"], "threshold": 0.5}}, "fairness.columns"),
        (
            {"resources": {"budget_seconds": 100, "max_wait_seconds": 60}},
            "resources.max_wait_seconds",
        ),
        (
            {"gates.without_source": {"moon": {"min_auc": 0.5, "max_log_loss": 1}}},
            "gates.without_source.moon",
        ),
        ({"slice_bands": [{"name": "n", "column": "c", "edges": [2, 1]}]}, "slice_bands[0].edges"),
        (
            {"members.0.search": {"lightgbm": {"a": {"type": "integer", "min": 3, "max": 2}}}},
            "members[0].search.lightgbm.a.max",
        ),
        (
            {"members.0.search": {"lightgbm": {"a": {"type": "categorical"}}}},
            "members[0].search.lightgbm.a.values",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes: dict[str, Any], field: str) -> None:
    ((path, value),) = changes.items()

    with pytest.raises(EnsembleConfigError) as caught:
        parse_ensemble_config(change(path, value), file="store/tiny.yaml")

    assert caught.value.field == field
    assert str(caught.value).startswith("store/tiny.yaml: ")


def test_the_published_schema_is_the_one_the_loader_checks_with() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))

    assert published == SCHEMA, "run python -m pipeline_code.training_pipeline.config_schema"
    jsonschema.Draft202012Validator.check_schema(published)


def test_functions_can_read_a_configuration_without_third_party_packages() -> None:
    program = (
        "import json, sys;"
        "from pipeline_code.training_pipeline import config_document, member_jobs;"
        "config = config_document.ensemble_config_of(json.load(sys.stdin));"
        "member_jobs.member_jobs(config, use_case='tiny', threads=1);"
        "print(sorted({'yaml', 'numpy', 'lightgbm', 'boto3'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(document()),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


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
    assert config.seed == 99
    assert member.parameters["rounds"] == 3
    assert member.parameters["num_leaves"] == 9
    assert member.parameters["min_data_in_leaf"] == 5


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
