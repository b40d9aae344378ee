"""The REST API by which people decide on candidates: who signs the request is who decided."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.training_pipeline.contract import Setting
from stacks.common.api_access import GroupAccess
from stacks.common.api_document import Document
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_attempts, grant_items, grant_on
from stacks.common.signed_api import STAGE, ApiProps, SignedApi
from stacks.foundation.people import People
from stacks.foundation.step_props import ModelStepProps

BLOCK = "TrainingPipeline"
_REQUESTS_PER_SECOND = 20


class ApprovalApi(Construct):
    """`POST /approvals/{version}`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        document: Document,
        props: ModelStepProps,
        machine: sfn.StateMachine,
        people: People,
    ) -> None:
        super().__init__(scope, construct_id)
        decision = DecisionFunction(self, "Decision", props=props, machine=machine)
        described = SignedApi(
            self,
            "Signed",
            props=ApiProps(
                document=document,
                block=BLOCK,
                functions={"decideApproval": decision},
                elsewhere=decision,
                requests_per_second=_REQUESTS_PER_SECOND,
                burst=_REQUESTS_PER_SECOND,
                log_days=props.log_days,
            ),
        )
        self.api = described.api
        GroupAccess(
            self,
            "Access",
            api=self.api,
            stage=STAGE,
            operations=described.operations,
            roles=people.roles,
        )


class DecisionFunction(BlockFunction):
    """Takes a decision from whoever API Gateway says signed it, and hands it to the workflow."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: ModelStepProps,
        machine: sfn.StateMachine,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="decide_approval",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_on(self.role, "states:SendTaskSuccess", resources=[machine.state_machine_arn])
        props.registry.grant_mirror(self.role, create=False)
        grant_items(props.tables.models, self.role, "GetItem", "UpdateItem")
        grant_append(props.tables.ledger, self.role)
        self.function.add_environment(Setting.ATTEMPT_TABLE, props.tables.attempts.table_name)
        grant_attempts(props.tables.attempts, self.role)
