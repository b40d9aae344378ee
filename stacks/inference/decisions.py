"""Optimization compute: predictions in, decisions out, at once or as a workflow."""

from __future__ import annotations

from constructs import Construct

from stacks.config.model import EnvironmentConfig
from stacks.foundation.step_props import StepProps
from stacks.inference.decision_service import DecisionService
from stacks.inference.decision_workflow import DecisionWorkflow


class Decisions(Construct):
    """A function for what a caller waits for, a workflow for what is larger."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: EnvironmentConfig, props: StepProps
    ) -> None:
        super().__init__(scope, construct_id)
        self.service = DecisionService(
            self,
            "Service",
            use_case=config.use_case,
            props=props,
            platform=config.inference.solver_platform,
        )
        self.workflow = DecisionWorkflow(self, "Large", config=config, props=props)
