"""The step that decides whether a challenger may replace the champion."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.training_pipeline.contract import EVALUATIONS_PREFIX, TRAINING_CONFIG_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class ModelVerdictStep(BlockFunction):
    """Holds the evaluation against the gate of the use case."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="judge_model",
            settings=props.settings,
            log_days=props.log_days,
        )
        props.buckets.models.allow_read(self.role, EVALUATIONS_PREFIX)
        props.buckets.config.allow_read(self.role, TRAINING_CONFIG_PREFIX)
        grant_items(props.tables.models, self.role, "GetItem")

    def state(self, workflow_role: iam.Role) -> Task:
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
