"""The one way to make a REST API: what the OpenAPI document says a block serves, and no more.

Every method takes signed requests alone. A request that no method is there for reaches a function
that says so, and all that API Gateway itself refuses is a problem document with a true status: 401
for whoever is not known, 403 for whoever may not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from pipeline_code.inference.contract import JSON
from stacks.common.api_document import Document, Operation, operations, request_model
from stacks.common.api_refusals import answer_with_problems
from stacks.common.findings import acknowledge
from stacks.common.function import BlockFunction
from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays

STAGE = "v1"
_ANSWER_SECONDS = 29
_LOGGED = (
    ("request_id", "$context.requestId"),
    ("time", "$context.requestTime"),
    ("caller", "$context.identity.userArn"),
    ("person", "$context.identity.cognitoAuthenticationProvider"),
    ("method", "$context.httpMethod"),
    ("path", "$context.resourcePath"),
    ("status", "$context.status"),
    ("latency_ms", "$context.responseLatency"),
    ("response_bytes", "$context.responseLength"),
    ("error", "$context.error.responseType"),
)


@dataclass(frozen=True, kw_only=True)
class ApiProps:
    """What an API serves of a document, with which functions, how fast."""

    document: Document
    block: str
    functions: Mapping[str, BlockFunction]
    """By operation id."""
    elsewhere: BlockFunction
    """Answers all requests that no operation is there for."""
    requests_per_second: int
    burst: int
    log_days: LogRetentionDays
    keyed: frozenset[str] = frozenset()
    """Operations that demand the key of a usage plan beside the signature."""


class SignedApi(Construct):
    """The operations that a document gives to one block, each answered by a function."""

    def __init__(self, scope: Construct, construct_id: str, *, props: ApiProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self.operations = tuple(operations(props.document, props.block))
        self.api = apigateway.RestApi(
            self,
            "Api",
            description=f"Fourblocks, {props.block}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            deploy_options=self._stage(),
        )
        answer_with_problems(self.api)
        self._parameters = self._validator("Parameters", bodies=False)
        self._bodies = self._validator("Bodies", bodies=True)
        for operation in self.operations:
            self._serve(operation, props.functions[operation.operation_id])
        self._catch(props.elsewhere)
        self._acknowledge()

    def _stage(self) -> apigateway.StageOptions:
        log_group = RetainedLogGroup(self, "AccessLogs", days=self._props.log_days)
        return apigateway.StageOptions(
            stage_name=STAGE,
            access_log_destination=apigateway.LogGroupLogDestination(log_group),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(dict(_LOGGED))),
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
            tracing_enabled=True,
            throttling_rate_limit=self._props.requests_per_second,
            throttling_burst_limit=self._props.burst,
            method_options={
                f"{each.path}/{each.method}": _slower(each.rate)
                for each in self.operations
                if each.rate is not None
            },
        )

    def _validator(self, construct_id: str, *, bodies: bool) -> apigateway.RequestValidator:
        return self.api.add_request_validator(
            construct_id, validate_request_body=bodies, validate_request_parameters=True
        )

    def _serve(self, operation: Operation, function: BlockFunction) -> None:
        models = {JSON: self._model(operation.model)} if operation.model else {}
        self.api.root.resource_for_path(operation.path).add_method(
            operation.method,
            _integration(function),
            operation_name=operation.operation_id,
            api_key_required=operation.operation_id in self._props.keyed,
            request_parameters=dict(operation.parameters),
            request_models=models,
            request_validator=self._bodies if self._is_judged(operation) else self._parameters,
        )

    def _is_judged(self, operation: Operation) -> bool:
        """Tell whether API Gateway knows enough to judge the body."""
        schemas = self._props.document["components"]["schemas"]
        return operation.model is not None and "x-checked-by" not in schemas[operation.model]

    def _model(self, name: str) -> apigateway.IModel:
        schema = request_model(self._props.document, name)
        model = apigateway.CfnModel(
            self,
            name,
            rest_api_id=self.api.rest_api_id,
            name=name,
            content_type=JSON,
            schema=schema,
        )
        deployment = self.api.latest_deployment
        if deployment is not None:
            deployment.node.add_dependency(model)
            deployment.add_to_logical_id({name: schema})
        return apigateway.Model.from_model_name(self, f"{name}Name", model.ref)

    def _catch(self, function: BlockFunction) -> None:
        """Let a function say what is not there, and which methods are."""
        integration = _integration(function)
        for path in sorted({operation.path for operation in self.operations}):
            self.api.root.resource_for_path(path).add_method("ANY", integration)
        self.api.root.add_resource("{elsewhere+}").add_method("ANY", integration)

    def _acknowledge(self) -> None:
        acknowledge(
            self,
            {
                "AwsSolutions-APIG3": (
                    "Only signed requests of the account's principals are let in; a web ACL for "
                    "anonymous traffic has nothing to filter."
                ),
                "AwsSolutions-COG4": (
                    "People sign in to the user pool and get credentials of their group's role; "
                    "every request is signed, and IAM decides."
                ),
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": (
                    "API Gateway has one logging role an account, which this policy is made for."
                ),
            },
        )


def _slower(rate: int) -> apigateway.MethodDeploymentOptions:
    """Slow one method down; what is said of it holds instead of the stage's, so all is said."""
    return apigateway.MethodDeploymentOptions(
        throttling_rate_limit=rate,
        throttling_burst_limit=rate,
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,
        metrics_enabled=True,
    )


def _integration(function: BlockFunction) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(
        function.function, allow_test_invoke=False, timeout=Duration.seconds(_ANSWER_SECONDS)
    )
