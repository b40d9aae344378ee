"""What starts a training besides new data: a wish that waited, a configuration, the calendar."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.training_pipeline.contract import EVENT_SOURCE, TRAINING_DUE
from stacks.common.trigger import WorkflowTrigger


class TrainingTriggers(Construct):
    """`TrainingDue` of the use case, and perhaps a schedule."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        use_case: str,
        schedule: str | None,
        machine: sfn.IStateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        names = ("dataset_id", "requested_by", "reason")
        WorkflowTrigger(
            self,
            "Due",
            description="A training is due",
            pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[TRAINING_DUE],
                detail={"use_case": [use_case]},
            ),
            machine=machine,
            machine_input=events.RuleTargetInput.from_object(
                {name: events.EventField.from_path(f"$.detail.{name}") for name in names}
            ),
        )
        if schedule:
            WorkflowTrigger(
                self,
                "Calendar",
                description="It is time to train",
                schedule=schedule,
                machine=machine,
                machine_input=events.RuleTargetInput.from_object(
                    {"requested_by": "aws.scheduler", "reason": f"the schedule {schedule}"}
                ),
            )
