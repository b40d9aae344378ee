"""What the functions of one workflow share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.config.model import LogRetentionDays
from stacks.foundation.buckets import Buckets
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.tables import Tables


@dataclass(frozen=True, kw_only=True)
class StepProps:
    """Settings by name, the stores that a step may be granted, and how long its logs stay."""

    settings: Mapping[str, str]
    buckets: Buckets
    tables: Tables
    log_days: LogRetentionDays


@dataclass(frozen=True, kw_only=True)
class ModelStepProps(StepProps):
    """The same for steps that sign models, verify or mirror them."""

    registry: ModelRegistry
