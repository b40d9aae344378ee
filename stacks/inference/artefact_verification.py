"""The step that verifies a model's seal before anything of it is served."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.training_pipeline.contract import MODELS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import ModelStepProps


class ArtefactVerificationStep(BlockFunction):
    """What is not byte for byte what was signed is refused, recorded and blocked."""

    def __init__(self, scope: Construct, construct_id: str, *, props: ModelStepProps) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="verify_artefact",
            settings=props.settings,
            log_days=props.log_days,
            timeout_seconds=300,
            memory_mb=512,
        )
        props.buckets.models.allow_read(self.role, MODELS_PREFIX)
        props.registry.grant_verify(self.role)
        grant_items(props.tables.models, self.role, "GetItem", "UpdateItem")
        grant_append(props.tables.ledger, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave what was verified under `$.artefact`."""
        return function_task(
            self,
            "Verify artefact",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "version.$": "$.plan.version",
                "requested_by.$": "$.requested_by",
            },
            result_path="$.artefact",
        )
