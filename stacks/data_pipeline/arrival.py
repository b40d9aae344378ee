"""The rule that starts the workflow when a source file lands."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from pipeline_code.data_pipeline.contract import LANDING_PREFIX
from stacks.common.trigger import WorkflowTrigger


class ArrivalTrigger(Construct):
    """Every object created under the landing prefix starts an execution."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        raw_lake: s3.IBucket,
        machine: sfn.IStateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        WorkflowTrigger(
            self,
            "Rule",
            description="A source file has landed",
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [raw_lake.bucket_name]},
                    "object": {"key": [{"prefix": LANDING_PREFIX}]},
                },
            ),
            machine=machine,
        )
