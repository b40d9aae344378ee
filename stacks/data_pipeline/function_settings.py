"""The settings that all functions of the data pipeline share."""

from __future__ import annotations

import json

from lambdas.data_pipeline.contract import Setting
from pipeline_code.use_case import UseCase
from stacks.config.model import LogRetentionDays
from stacks.foundation.buckets import Buckets
from stacks.foundation.step_props import StepProps
from stacks.foundation.tables import Tables


def data_props(
    *,
    use_case: UseCase,
    code_version: str,
    buckets: Buckets,
    tables: Tables,
    log_days: LogRetentionDays,
    settle_seconds: int,
) -> StepProps:
    """Name the use case's sources, the code that transforms them, and the stores."""
    required = use_case.required_sources
    optional = [name for name in use_case.sources if name not in required]
    monthly = [name for name, source in use_case.sources.items() if source.arrival_every]
    settings = {
        Setting.USE_CASE: use_case.name,
        Setting.REQUIRED_SOURCES: json.dumps(required),
        Setting.OPTIONAL_SOURCES: json.dumps(optional),
        Setting.MONTHLY_SOURCES: json.dumps(monthly),
        Setting.RAW_LAKE_BUCKET: buckets.raw_lake.bucket_name,
        Setting.MODEL_INPUT_BUCKET: buckets.model_input.bucket_name,
        Setting.METADATA_TABLE: tables.metadata.table_name,
        Setting.LEDGER_TABLE: tables.ledger.table_name,
        Setting.EVENT_BUS: "default",
        Setting.CODE_VERSION: code_version,
        Setting.SETTLE_SECONDS: str(settle_seconds),
    }
    return StepProps(settings=settings, buckets=buckets, tables=tables, log_days=log_days)
