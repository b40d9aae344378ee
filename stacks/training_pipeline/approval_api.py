"""The REST API by which people decide on candidates: who signs the request is who decided."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.training_pipeline.contract import APPROVALS_PATH
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_on
from stacks.common.signed_api import SignedApi
from stacks.foundation.step_props import ModelStepProps

_REQUESTS_PER_SECOND = 10


class ApprovalApi(SignedApi):
    """`POST /approvals/{version}`."""

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
            description="Fourblocks approvals",
            requests_per_second=_REQUESTS_PER_SECOND,
            burst=_REQUESTS_PER_SECOND,
            log_days=props.log_days,
            validated_by="The function checks the three fields of a decision and names a bad one.",
        )
        decision = DecisionFunction(self, "Decision", props=props, machine=machine)
        approvals = self.api.root.add_resource(APPROVALS_PATH.strip("/"))
        approvals.add_resource("{version}").add_method(
            "POST",
            apigateway.LambdaIntegration(
                decision.function, allow_test_invoke=False, timeout=Duration.seconds(29)
            ),
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
