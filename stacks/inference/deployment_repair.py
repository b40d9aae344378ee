"""The rule that starts a repair when an execution of the deployment workflow has died."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.inference.contract import EVENT_SOURCE, REPAIR
from stacks.common.trigger import WorkflowTrigger

ENDED_BADLY = ["ABORTED", "FAILED", "TIMED_OUT"]


class DeploymentRepair(Construct):
    """The repair finds nothing to do where the execution has let its lease go itself."""

    def __init__(self, scope: Construct, construct_id: str, *, machine: sfn.IStateMachine) -> None:
        super().__init__(scope, construct_id)
        WorkflowTrigger(
            self,
            "Rule",
            description="A deployment has ended badly",
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ENDED_BADLY, "stateMachineArn": [machine.state_machine_arn]},
            ),
            machine=machine,
            machine_input=events.RuleTargetInput.from_object(
                {
                    "action": REPAIR,
                    "aborted": events.EventField.from_path("$.detail.executionArn"),
                    "requested_by": EVENT_SOURCE,
                    "reason": "the execution that deployed it has died",
                }
            ),
        )
