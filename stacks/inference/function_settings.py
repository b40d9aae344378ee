"""The settings of the inference block's functions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lambdas.inference.contract import Setting
from pipeline_code.data_pipeline.contract import feature_group_name
from pipeline_code.use_case import load_use_case
from stacks.config.model import DeploymentSettings, EnvironmentConfig, InferenceSettings
from stacks.foundation.buckets import Buckets
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.step_props import ModelStepProps, StepProps
from stacks.foundation.tables import Tables


def deployment_props(
    *,
    config: EnvironmentConfig,
    buckets: Buckets,
    tables: Tables,
    registry: ModelRegistry,
    alarms: Sequence[str],
) -> ModelStepProps:
    """Name the endpoint, what its config holds besides the model, and the stores."""
    serving = config.inference
    variant = {
        "instance_type": serving.instance_type,
        "instance_count": serving.instance_count,
        "startup_timeout_seconds": serving.startup_timeout_seconds,
    }
    settings = {
        Setting.USE_CASE: config.use_case,
        Setting.ENDPOINT_NAME: config.endpoint_name,
        Setting.SERVING_CONTAINERS: serving.serving_containers,
        Setting.SERVING_VARIANT: json.dumps(variant, sort_keys=True),
        Setting.RESOURCE_PREFIX: config.resource_prefix,
        Setting.MODEL_BUCKET: buckets.models.bucket_name,
        Setting.MODEL_TABLE: tables.models.table_name,
        Setting.LEDGER_TABLE: tables.ledger.table_name,
        Setting.EVIDENCE_TABLE: tables.evidence.table_name,
        Setting.GUARDRAILS: _guardrails(serving.deployment, alarms),
        Setting.EVENT_BUS: "default",
        Setting.SIGNING_KEY: registry.signing_key.key_arn,
        **_scaling(serving),
    }
    return ModelStepProps(
        settings=settings,
        buckets=buckets,
        tables=tables,
        registry=registry,
        log_days=config.log_days,
    )


def _scaling(serving: InferenceSettings) -> dict[str, str]:
    """Say between how many instances the endpoint scales, where it does."""
    if serving.max_instance_count is None:
        return {}
    limits = {
        "min_count": serving.instance_count,
        "max_count": serving.max_instance_count,
        "invocations": serving.invocations_per_instance,
    }
    return {Setting.SCALING: json.dumps(limits, sort_keys=True)}


def _guardrails(settings: DeploymentSettings, alarms: Sequence[str]) -> str:
    own = settings.model_dump(exclude={"alarm_error_rate", "alarm_errors"})
    return json.dumps({**own, "alarms": list(alarms)}, sort_keys=True)


def prediction_props(*, config: EnvironmentConfig, buckets: Buckets, tables: Tables) -> StepProps:
    """Name the endpoint to ask and the table to remember its answers in."""
    settings = {
        Setting.USE_CASE: config.use_case,
        Setting.ENDPOINT_NAME: config.endpoint_name,
        Setting.PREDICTION_TABLE: tables.predictions.table_name,
        Setting.PREDICTION_DAYS: str(config.inference.prediction_days),
        Setting.ATTEMPT_TABLE: tables.attempts.table_name,
        Setting.EVIDENCE_TABLE: tables.evidence.table_name,
    }
    return StepProps(settings=settings, buckets=buckets, tables=tables, log_days=config.log_days)


def api_props(*, config: EnvironmentConfig, buckets: Buckets, tables: Tables) -> StepProps:
    """Name the tables that the API's other functions read and write."""
    settings = {
        Setting.USE_CASE: config.use_case,
        Setting.MODEL_TABLE: tables.models.table_name,
        Setting.PREDICTION_TABLE: tables.predictions.table_name,
        Setting.METADATA_TABLE: tables.metadata.table_name,
        Setting.LEDGER_TABLE: tables.ledger.table_name,
        Setting.ATTEMPT_TABLE: tables.attempts.table_name,
    }
    return StepProps(settings=settings, buckets=buckets, tables=tables, log_days=config.log_days)


def feature_groups(config: EnvironmentConfig) -> dict[str, str]:
    """Name the feature group of each group of inputs, the required one first."""
    use_case = load_use_case(config.use_case)
    return {
        group: feature_group_name(config.feature_group_prefix, group, use_case.inputs_version)
        for group in use_case.inputs
    }
