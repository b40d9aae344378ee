"""The four environments, and the only place where they differ."""

from __future__ import annotations

from types import MappingProxyType

from stacks.config.model import (
    ArchiveSource,
    BudgetSettings,
    BuildSettings,
    DataPipelineSettings,
    DeploymentSettings,
    EnvironmentConfig,
    FeatureStoreSettings,
    FoundationSettings,
    InferenceSettings,
    Promotion,
    TrainingSettings,
    UsageSettings,
)

USE_CASE = "flight_delays"

LOCAL = EnvironmentConfig(
    environment="local",
    use_case=USE_CASE,
    budget=BudgetSettings(usd=100),
    log_days=7,
    foundation=FoundationSettings(removal="destroy", access_log_days=7, superseded_version_days=7),
    data_pipeline=DataPipelineSettings(settle_seconds=3),
    feature_store=FeatureStoreSettings(online_days=2),
    # One core a member keeps a two-core laptop usable; LightGBM slows down when threads fight.
    training=TrainingSettings(threads=1, concurrent_jobs=2),
    inference=InferenceSettings(
        idle_hours=24,
        poll_seconds=1,
        prediction_days=7,
        log_batch_seconds=1,
        solver_platform="host",
        # A laptop has no traffic to speak of: what a bake would watch is mostly silence.
        deployment=DeploymentSettings(bake_seconds=2, termination_seconds=0),
    ),
    # The other suites take longer than a push should on a laptop; `make test` runs them all.
    build=BuildSettings(
        source=ArchiveSource(),
        suites=("unit", "infrastructure", "use-case"),
        scan_image=False,
    ),
)

DEV = EnvironmentConfig(
    environment="dev",
    use_case=USE_CASE,
    inference=InferenceSettings(idle_hours=8),
    # Eight hours after the last request of some ten days a month.
    usage=UsageSettings(endpoint_hours=200),
    budget=BudgetSettings(usd=150),
    log_days=14,
    foundation=FoundationSettings(removal="destroy", access_log_days=14),
    build=BuildSettings(
        source=ArchiveSource(),
        promotions=(Promotion(environment="staging"), Promotion(environment="prod")),
    ),
)

STAGING = EnvironmentConfig(
    environment="staging",
    use_case=USE_CASE,
    budget=BudgetSettings(usd=250),
    log_days=90,
    foundation=FoundationSettings(removal="retain"),
    training=TrainingSettings(instance_type="ml.m5.xlarge", threads=4),
    inference=InferenceSettings(instance_type="ml.m5.large"),
)

PROD = EnvironmentConfig(
    environment="prod",
    use_case=USE_CASE,
    budget=BudgetSettings(usd=500),
    log_days=365,
    foundation=FoundationSettings(
        removal="retain", access_log_days=365, superseded_version_days=365
    ),
    data_pipeline=DataPipelineSettings(workers=4),
    training=TrainingSettings(
        instance_type="ml.m5.xlarge", threads=4, approval="human", schedule="cron(0 3 ? * MON *)"
    ),
    inference=InferenceSettings(
        instance_type="ml.m5.large",
        instance_count=2,
        max_instance_count=6,
        requests_per_second=500,
        burst=1000,
        prediction_days=365,
    ),
    usage=UsageSettings(
        predictions=3_000_000, stored_gigabytes=200, log_gigabytes=10, people=50, pushes=10
    ),
)

ENVIRONMENTS = MappingProxyType(
    {config.environment: config for config in (LOCAL, DEV, STAGING, PROD)}
)


class UnknownEnvironmentError(ValueError):
    """No environment has this name."""


def environment_named(
    name: str, *, commit: str = "unknown", image: str | None = None
) -> EnvironmentConfig:
    """Find an environment, deployed from a commit with an image, or say which there are."""
    if name not in ENVIRONMENTS:
        message = (
            f"Unknown environment {name!r}. Allowed: {', '.join(ENVIRONMENTS)}. "
            "Choose one with `-c environment=<name>`, or add it to stacks/config/environments.py."
        )
        raise UnknownEnvironmentError(message)
    named = {**dict(ENVIRONMENTS[name]), "commit": commit, "image": image}
    return EnvironmentConfig.model_validate(named)


def promoted_from(config: EnvironmentConfig) -> tuple[EnvironmentConfig, ...]:
    """Find the environments that a pipeline promotes to, in their order."""
    promotions = config.build.promotions if config.build else ()
    return tuple(environment_named(each.environment) for each in promotions)
