"""The rule that starts a training when a dataset version to train on is published."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.data_pipeline.contract import DATASET_PUBLISHED, EVENT_SOURCE
from stacks.common.trigger import WorkflowTrigger


class DatasetTrigger(Construct):
    """Each `DatasetPublished` of the use case that can be trained on starts an execution."""

    def __init__(
        self, scope: Construct, construct_id: str, *, use_case: str, machine: sfn.IStateMachine
    ) -> None:
        super().__init__(scope, construct_id)
        WorkflowTrigger(
            self,
            "Rule",
            description="A dataset version was published",
            pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[DATASET_PUBLISHED],
                detail={"use_case": [use_case], "trainable": [True]},
            ),
            machine=machine,
            machine_input=events.RuleTargetInput.from_object(
                {
                    "dataset_id": events.EventField.from_path("$.detail.dataset_id"),
                    "requested_by": EVENT_SOURCE,
                    "reason": "a dataset version was published",
                }
            ),
        )
