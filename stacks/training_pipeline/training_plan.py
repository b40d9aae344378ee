"""The step that names what a training run makes, and claims it."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX, TRAININGS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.training_pipeline.ensemble_config import EnsembleConfig


class TrainingPlanStep(BlockFunction):
    """The same dataset, configuration and image give the same plan, which is trained once."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        ensemble: EnsembleConfig,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="plan_training",
            settings=props.settings,
            log_days=props.log_days,
        )
        ensemble.grant_read(self.role)
        props.buckets.config.allow_read(self.role, TRAINING_CONFIG_PREFIX)
        props.buckets.config.allow_write(self.role, TRAINING_CONFIG_PREFIX)
        grant_items(props.tables.metadata, self.role, "GetItem")
        props.buckets.models.allow_read(self.role, TRAININGS_PREFIX)
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the plan under `$.plan`."""
        return function_task(
            self,
            "Plan training",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "dataset_id.$": "$.dataset_id",
                "reproduce_version.$": "$.reproduce_version",
                "requested_by.$": "$.requested_by",
                "reason.$": "$.reason",
            },
            result_path="$.plan",
        )
