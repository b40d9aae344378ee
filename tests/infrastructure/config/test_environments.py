"""A bad configuration is refused where it is written, by the name of its field."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stacks.config.environments import (
    DEV,
    ENVIRONMENTS,
    LOCAL,
    PROD,
    UnknownEnvironmentError,
    environment_named,
    promoted_from,
)
from stacks.config.model import (
    BuildSettings,
    CodeConnectionsSource,
    DataPipelineSettings,
    EnvironmentConfig,
    InferenceSettings,
    TrainingSettings,
)


def test_a_deployment_carries_its_commit_or_says_that_it_is_unknown():
    assert environment_named("local").deployed.commit == "unknown"
    assert environment_named("prod", commit="a" * 40).deployed.commit == "a" * 40
    with pytest.raises(ValidationError, match="commit"):
        environment_named("prod", commit="main")


def test_each_environment_is_found_by_its_name():
    assert {name: environment_named(name).environment for name in ENVIRONMENTS} == {
        "local": "local",
        "dev": "dev",
        "staging": "staging",
        "prod": "prod",
    }


def test_an_unknown_environment_names_value_allowed_values_and_what_to_do():
    with pytest.raises(
        UnknownEnvironmentError, match=r"'lcoal'.*local, dev, staging, prod.*-c env"
    ):
        environment_named("lcoal")


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: TrainingSettings(threads=0), "threads"),
        (lambda: TrainingSettings(threads=97), "threads"),
        (lambda: TrainingSettings(instance_type="m5.large"), "instance_type"),
        (lambda: TrainingSettings(job_timeout_seconds=10**6), "job_timeout_seconds"),
        (lambda: InferenceSettings(instance_count=0), "instance_count"),
        (lambda: InferenceSettings(endpoint_name="under_score"), "endpoint_name"),
        (lambda: DataPipelineSettings(workers=1), "workers"),
        (lambda: DataPipelineSettings(glue_version="4.0"), "glue_version"),
        (lambda: BuildSettings(source={"kind": "svn"}), "source"),
        (
            lambda: CodeConnectionsSource(connection_arn="arn:x", owner="o", repository="r"),
            "connection_arn",
        ),
        (lambda: LOCAL.model_validate(LOCAL.model_dump() | {"log_days": 31}), "log_days"),
        (lambda: LOCAL.model_validate(LOCAL.model_dump() | {"account": "12"}), "account"),
        (lambda: LOCAL.model_validate(LOCAL.model_dump() | {"colour": "red"}), "colour"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_field(make, field):
    with pytest.raises(ValidationError) as refused:
        make()
    assert field in {str(part) for error in refused.value.errors() for part in error["loc"]}


def test_account_and_region_come_together():
    with pytest.raises(ValidationError, match="set both or neither"):
        EnvironmentConfig.model_validate(PROD.model_dump() | {"account": "123456789012"})


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValidationError):
        LOCAL.training.threads = 5


def test_what_prod_stores_outlives_its_stacks():
    assert PROD.foundation.removal == "retain"


def test_what_reaches_prod_was_proved_before_and_released_by_a_person():
    assert [each.environment for each in promoted_from(DEV)] == ["staging", "prod"]
    assert all(each.approval for each in DEV.build.promotions)
    assert PROD.build is None


def test_an_image_is_named_by_its_digest_alone():
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/images"
    digest = f"{uri}@sha256:{'a' * 64}"
    assert environment_named("dev", image=digest).image == digest
    with pytest.raises(ValidationError, match="image"):
        environment_named("dev", image=f"{uri}:latest")
