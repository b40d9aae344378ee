"""The step that decides whether a challenger may replace the champion."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items
from stacks.common.task import Task, function_task
from stacks.config.model import LogRetentionDays
from stacks.foundation.buckets import Buckets
from stacks.foundation.tables import Tables


class ModelVerdictStep(BlockFunction):
    """Holds the evaluation against the gate of the use case."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Mapping[str, str],
        buckets: Buckets,
        tables: Tables,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="judge_model",
            settings=settings,
            log_days=log_days,
        )
        buckets.models.grant_read(self.grantee)
        buckets.config.grant_read(self.grantee)
        grant_items(tables.models, self.grantee, "GetItem", "Query")
        grant_append(tables.ledger, self.grantee)

    def state(self, workflow_role: iam.IGrantable) -> Task:
        """Leave the verdict and its reasons under `$.verdict`."""
        return function_task(
            self,
            "Judge model",
            function=self,
            workflow_role=workflow_role,
            payload={
                "training_id.$": "$.plan.training_id",
                "evaluation_uri.$": "$.plan.evaluation_output_uri",
            },
            result_path="$.verdict",
        )
