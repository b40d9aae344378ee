"""The step that asks the endpoint the model's golden requests and compares the answers."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.training_pipeline.contract import MODELS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint


class DeploymentVerificationStep(BlockFunction):
    """A deployment counts only when the endpoint answers as the model did when it was built."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        endpoint: ModelEndpoint,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="verify_deployment",
            settings=props.settings,
            log_days=props.log_days,
            timeout_seconds=300,
            memory_mb=512,
        )
        props.buckets.models.allow_read(self.role, MODELS_PREFIX)
        grant_items(props.tables.models, self.role, "GetItem")
        endpoint.grant_invoke(self.role)
        endpoint.grant_try(self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave how many answers were equal under `$.verification`."""
        return self._ask("Verify deployment", "$.plan.endpoint_name", workflow_role)

    def trial(self, workflow_role: iam.Role) -> Task:
        """Ask the trial endpoint, before the version gets any traffic."""
        return self._ask("Ask trial endpoint", "$.plan.trial_endpoint_name", workflow_role)

    def _ask(self, state_name: str, endpoint_name: str, workflow_role: iam.Role) -> Task:
        return function_task(
            self,
            state_name,
            function=self,
            workflow_role=workflow_role,
            payload={"version.$": "$.plan.version", "endpoint_name.$": endpoint_name},
            result_path="$.verification",
        )
