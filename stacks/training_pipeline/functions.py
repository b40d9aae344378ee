"""The training pipeline's functions, each made with the same settings."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from stacks.config.model import LogRetentionDays
from stacks.foundation.buckets import Buckets
from stacks.foundation.tables import Tables
from stacks.training_pipeline.ensemble_config import EnsembleConfig
from stacks.training_pipeline.model_registration import ModelRegistrationStep
from stacks.training_pipeline.model_verdict import ModelVerdictStep
from stacks.training_pipeline.training_plan import TrainingPlanStep
from stacks.training_pipeline.training_release import TrainingReleaseStep


class TrainingFunctions(Construct):
    """Plan, verdict, registration and release."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Mapping[str, str],
        ensemble: EnsembleConfig,
        buckets: Buckets,
        tables: Tables,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self.plan = TrainingPlanStep(
            self,
            "Plan",
            settings=settings,
            buckets=buckets,
            tables=tables,
            ensemble=ensemble,
            log_days=log_days,
        )
        self.verdict = ModelVerdictStep(
            self, "Verdict", settings=settings, buckets=buckets, tables=tables, log_days=log_days
        )
        self.registration = ModelRegistrationStep(
            self,
            "Registration",
            settings=settings,
            buckets=buckets,
            tables=tables,
            log_days=log_days,
        )
        self.release = TrainingReleaseStep(
            self, "Release", settings=settings, tables=tables, log_days=log_days
        )
