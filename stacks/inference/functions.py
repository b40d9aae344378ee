"""The functions of the deployment workflow, each made with the same settings."""

from __future__ import annotations

from constructs import Construct

from stacks.foundation.step_props import StepProps
from stacks.inference.deployment_plan import DeploymentPlanStep
from stacks.inference.deployment_record import DeploymentRecordStep
from stacks.inference.deployment_verification import DeploymentVerificationStep
from stacks.inference.endpoint import ModelEndpoint


class DeploymentFunctions(Construct):
    """Plan, verification and record."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, endpoint: ModelEndpoint
    ) -> None:
        super().__init__(scope, construct_id)
        self.plan = DeploymentPlanStep(self, "Plan", props=props, endpoint=endpoint)
        self.verification = DeploymentVerificationStep(
            self, "Verification", props=props, endpoint=endpoint
        )
        self.record = DeploymentRecordStep(self, "Record", props=props)
