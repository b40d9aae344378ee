"""The functions of the deployment workflow, each made with the same settings."""

from __future__ import annotations

from constructs import Construct

from stacks.foundation.step_props import ModelStepProps
from stacks.inference.artefact_verification import ArtefactVerificationStep
from stacks.inference.deployment_plan import DeploymentPlanStep
from stacks.inference.deployment_record import DeploymentRecordStep
from stacks.inference.deployment_verification import DeploymentVerificationStep
from stacks.inference.endpoint import ModelEndpoint


class DeploymentFunctions(Construct):
    """Plan, both verifications and record."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: ModelStepProps, endpoint: ModelEndpoint
    ) -> None:
        super().__init__(scope, construct_id)
        self.plan = DeploymentPlanStep(self, "Plan", props=props, endpoint=endpoint)
        self.artefact = ArtefactVerificationStep(self, "Artefact", props=props)
        self.verification = DeploymentVerificationStep(
            self, "Verification", props=props, endpoint=endpoint
        )
        self.record = DeploymentRecordStep(self, "Record", props=props)
