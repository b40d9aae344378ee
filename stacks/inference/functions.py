"""The functions of the deployment workflow, each made with the same settings."""

from __future__ import annotations

from constructs import Construct

from stacks.foundation.step_props import ModelStepProps
from stacks.inference.artefact_verification import ArtefactVerificationStep
from stacks.inference.canary_judgement import CanaryJudgementStep
from stacks.inference.deployment_alarms import DeploymentAlarms
from stacks.inference.deployment_end import DeploymentEndStep
from stacks.inference.deployment_plan import DeploymentPlanStep
from stacks.inference.deployment_record import DeploymentRecordStep
from stacks.inference.deployment_verification import DeploymentVerificationStep
from stacks.inference.endpoint import ModelEndpoint


class DeploymentFunctions(Construct):
    """Plan, both verifications, judgement, record and end."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: ModelStepProps,
        endpoint: ModelEndpoint,
        alarms: DeploymentAlarms,
    ) -> None:
        super().__init__(scope, construct_id)
        self.plan = DeploymentPlanStep(self, "Plan", props=props, endpoint=endpoint)
        self.artefact = ArtefactVerificationStep(self, "Artefact", props=props)
        self.verification = DeploymentVerificationStep(
            self, "Verification", props=props, endpoint=endpoint
        )
        self.judgement = CanaryJudgementStep(self, "Judgement", props=props, alarms=alarms)
        self.record = DeploymentRecordStep(self, "Record", props=props)
        self.end = DeploymentEndStep(self, "End", props=props, endpoint=endpoint)
