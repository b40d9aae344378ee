"""The functions behind the API that ask no model: what is known, the way back, told outcomes."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.inference.contract import AWAITING_OUTCOME, Setting
from pipeline_code.data_pipeline.contract import DATASETS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_attempts, grant_items, grant_on
from stacks.foundation.step_props import StepProps

_ANSWER_SECONDS = 28


class ApiFunction(BlockFunction):
    """A function that answers within the time that API Gateway waits, and knows the document."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        props: StepProps,
        document: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name=name,
            settings=props.settings,
            log_days=props.log_days,
            timeout_seconds=_ANSWER_SECONDS,
            memory_mb=512,
        )
        self.function.add_layers(document)


class RecordReader(ApiFunction):
    """Tells of models, deployments, lineage, and what the API does not have."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        document: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, construct_id, name="read_records", props=props, document=document)
        tables = props.tables
        grant_items(tables.models, self.role, "GetItem", "Query")
        grant_items(tables.predictions, self.role, "GetItem")
        grant_items(tables.metadata, self.role, "GetItem")
        grant_items(tables.ledger, self.role, "Query")
        props.buckets.model_input.allow_read(self.role, DATASETS_PREFIX)


class RollbackRequest(ApiFunction):
    """Starts the deployment workflow backwards."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        document: lambda_.ILayerVersion,
        deployment: sfn.StateMachine,
    ) -> None:
        super().__init__(
            scope, construct_id, name="request_rollback", props=props, document=document
        )
        self.function.add_environment(Setting.DEPLOYMENT_WORKFLOW, deployment.state_machine_arn)
        grant_items(props.tables.models, self.role, "GetItem")
        grant_attempts(props.tables.attempts, self.role)
        grant_on(self.role, "states:StartExecution", resources=[deployment.state_machine_arn])


class LabelRecording(ApiFunction):
    """Gives predictions the outcomes that the API is told."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        document: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, construct_id, name="record_labels", props=props, document=document)
        predictions = props.tables.predictions
        grant_items(predictions, self.role, "UpdateItem")
        index = f"{predictions.table_arn}/index/{AWAITING_OUTCOME}"
        grant_on(self.role, "dynamodb:Query", resources=[index])
        grant_attempts(props.tables.attempts, self.role)
