"""The step that gives a trained model its version."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.training_pipeline.contract import (
    EVALUATIONS_PREFIX,
    MODELS_PREFIX,
    TRAINING_CONFIG_PREFIX,
    TRAININGS_PREFIX,
    Setting,
)
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.config.model import Deployed
from stacks.foundation.step_props import ModelStepProps


class ModelRegistrationStep(BlockFunction):
    """Keeps promoted and rejected models alike, each with the evidence that decided."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: ModelStepProps,
        deployed: Deployed,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="register_model",
            settings={**props.settings, Setting.CODE_COMMIT: deployed.commit},
            log_days=props.log_days,
            timeout_seconds=300,
            memory_mb=512,
        )
        for prefix in (TRAININGS_PREFIX, EVALUATIONS_PREFIX, MODELS_PREFIX):
            props.buckets.models.allow_read(self.role, prefix)
        props.buckets.models.allow_write(self.role, MODELS_PREFIX)
        props.buckets.config.allow_read(self.role, TRAINING_CONFIG_PREFIX)
        props.registry.grant_sign(self.role)
        props.registry.grant_mirror(self.role, create=True)
        grant_items(props.tables.models, self.role, "GetItem", "PutItem", "UpdateItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the registered version under `$.model`."""
        return function_task(
            self,
            "Register model",
            function=self,
            workflow_role=workflow_role,
            payload={
                "training_id.$": "$.plan.training_id",
                "dataset_id.$": "$.plan.dataset_id",
                "config_digest.$": "$.plan.config_digest",
                "image_uri.$": "$.plan.image_uri",
                "artefact_uri.$": "$.ensemble.artefact_uri",
                "verdict.$": "$.verdict.verdict",
                "reasons.$": "$.verdict.reasons",
                "rules.$": "$.verdict.rules",
                "evaluation_uri.$": "$.verdict.evaluation_uri",
                "execution_arn.$": "$$.Execution.Id",
                "requested_by.$": "$.requested_by",
            },
            result_path="$.model",
        )
