"""The training pipeline's functions, each made with the same settings."""

from __future__ import annotations

from constructs import Construct

from stacks.config.model import Deployed
from stacks.foundation.step_props import ModelStepProps
from stacks.training_pipeline.approval_record import ApprovalRecordStep
from stacks.training_pipeline.approval_request import ApprovalRequestStep
from stacks.training_pipeline.ensemble_config import EnsembleConfig
from stacks.training_pipeline.member_collection import MemberCollectionStep
from stacks.training_pipeline.model_registration import ModelRegistrationStep
from stacks.training_pipeline.model_verdict import ModelVerdictStep
from stacks.training_pipeline.training_end import TrainingEndStep
from stacks.training_pipeline.training_plan import TrainingPlanStep
from stacks.training_pipeline.training_release import TrainingReleaseStep


class TrainingFunctions(Construct):
    """Every function of the training workflow."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: ModelStepProps,
        ensemble: EnsembleConfig,
        approval_hours: int,
        deployed: Deployed,
    ) -> None:
        super().__init__(scope, construct_id)
        self.plan = TrainingPlanStep(self, "Plan", props=props, ensemble=ensemble)
        self.verdict = ModelVerdictStep(self, "Verdict", props=props)
        self.registration = ModelRegistrationStep(
            self, "Registration", props=props, deployed=deployed
        )
        self.approval = ApprovalRequestStep(self, "Approval", props=props, hours=approval_hours)
        self.decision = ApprovalRecordStep(self, "Decision", props=props)
        self.collection = MemberCollectionStep(self, "Collection", props=props)
        self.end = TrainingEndStep(self, "End", props=props)
        self.release = TrainingReleaseStep(self, "Release", props=props)
