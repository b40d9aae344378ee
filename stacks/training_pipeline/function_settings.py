"""The settings that all functions of the training pipeline share."""

from __future__ import annotations

from lambdas.training_pipeline.contract import Setting
from stacks.common.image import ModelImage
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.step_props import ModelStepProps
from stacks.foundation.tables import Tables
from stacks.training_pipeline.algorithm_images import AlgorithmImages
from stacks.training_pipeline.ensemble_config import EnsembleConfig


def training_props(
    *,
    config: EnvironmentConfig,
    ensemble: EnsembleConfig,
    image: ModelImage,
    images: AlgorithmImages,
    buckets: Buckets,
    tables: Tables,
    registry: ModelRegistry,
) -> ModelStepProps:
    """Name what is trained, with which code, and the stores."""
    settings = {
        Setting.USE_CASE: config.use_case,
        Setting.TRAINING_CONFIG_URI: ensemble.uri,
        Setting.TRAINING_IMAGE_URI: image.uri,
        Setting.ALGORITHM_IMAGES: images.uris(),
        Setting.INSTANCE_TYPE: config.training.instance_type,
        Setting.VOLUME_GB: str(config.training.volume_gb),
        Setting.JOB_TIMEOUT_SECONDS: str(config.training.job_timeout_seconds),
        Setting.CONFIG_BUCKET: buckets.config.bucket_name,
        Setting.MODEL_INPUT_BUCKET: buckets.model_input.bucket_name,
        Setting.MODEL_BUCKET: buckets.models.bucket_name,
        Setting.METADATA_TABLE: tables.metadata.table_name,
        Setting.MODEL_TABLE: tables.models.table_name,
        Setting.LEDGER_TABLE: tables.ledger.table_name,
        Setting.EVENT_BUS: "default",
        Setting.JOB_NAME_PREFIX: config.resource_prefix,
        Setting.TRAINING_THREADS: str(config.training.threads),
        Setting.SIGNING_KEY: registry.signing_key.key_arn,
        Setting.MODEL_PACKAGE_GROUP: registry.group_name,
        Setting.APPROVAL: config.training.approval,
        Setting.APPROVAL_HOURS: str(config.training.approval_hours),
    }
    return ModelStepProps(
        settings=settings,
        buckets=buckets,
        tables=tables,
        registry=registry,
        log_days=config.log_days,
    )
