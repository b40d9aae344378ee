"""The one way to make a REST API: signed requests only, throttled, logged without payloads."""

from __future__ import annotations

import json
from http import HTTPStatus

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from pipeline_code.inference.contract import PROBLEM_JSON
from stacks.common.findings import acknowledge
from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays

STAGE = "v1"
_LOGGED = (
    ("request_id", "$context.requestId"),
    ("time", "$context.requestTime"),
    ("caller", "$context.identity.userArn"),
    ("method", "$context.httpMethod"),
    ("path", "$context.resourcePath"),
    ("status", "$context.status"),
    ("latency_ms", "$context.responseLatency"),
    ("response_bytes", "$context.responseLength"),
    ("error", "$context.error.responseType"),
)


class SignedApi(Construct):
    """A REST API whose callers sign with IAM credentials; a block adds its routes."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        requests_per_second: int,
        burst: int,
        log_days: LogRetentionDays,
        validated_by: str,
    ) -> None:
        """Make the API; ``validated_by`` says who checks a request's body, and why there."""
        super().__init__(scope, construct_id)
        log_group = RetainedLogGroup(self, "AccessLogs", days=log_days)
        self.api = apigateway.RestApi(
            self,
            "Api",
            description=description,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(log_group),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(dict(_LOGGED))),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=True,
                tracing_enabled=True,
                throttling_rate_limit=requests_per_second,
                throttling_burst_limit=burst,
            ),
        )
        self._answer_with_problems()
        self._acknowledge(validated_by)

    def _answer_with_problems(self) -> None:
        """Give what API Gateway itself refuses the same form as every other error."""
        for construct_id, kind, status in _REFUSALS:
            self.api.add_gateway_response(
                construct_id,
                type=kind,
                status_code=str(status.value),
                response_headers={"Content-Type": f"'{PROBLEM_JSON}'"},
                templates={"application/json": _problem(status)},
            )

    def _acknowledge(self, validated_by: str) -> None:
        acknowledge(
            self,
            {
                "AwsSolutions-APIG2": validated_by,
                "AwsSolutions-APIG3": (
                    "Only signed requests of the account's principals are let in; a web ACL for "
                    "anonymous traffic has nothing to filter."
                ),
                "AwsSolutions-COG4": "Callers sign with IAM credentials; there are no user pools.",
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": (
                    "API Gateway has one logging role an account, which this policy is made for."
                ),
            },
        )


_REFUSALS = (
    ("RefusedRequest", apigateway.ResponseType.DEFAULT_4_XX, HTTPStatus.FORBIDDEN),
    ("BadBody", apigateway.ResponseType.BAD_REQUEST_BODY, HTTPStatus.BAD_REQUEST),
    ("BadParameters", apigateway.ResponseType.BAD_REQUEST_PARAMETERS, HTTPStatus.BAD_REQUEST),
    ("UnknownPath", apigateway.ResponseType.RESOURCE_NOT_FOUND, HTTPStatus.NOT_FOUND),
    ("TooLarge", apigateway.ResponseType.REQUEST_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (
        "WrongMediaType",
        apigateway.ResponseType.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ),
    ("TooMany", apigateway.ResponseType.THROTTLED, HTTPStatus.TOO_MANY_REQUESTS),
    ("FailedRequest", apigateway.ResponseType.DEFAULT_5_XX, HTTPStatus.INTERNAL_SERVER_ERROR),
    ("NoAnswer", apigateway.ResponseType.INTEGRATION_FAILURE, HTTPStatus.GATEWAY_TIMEOUT),
    ("LateAnswer", apigateway.ResponseType.INTEGRATION_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT),
)
"""What API Gateway itself answers; all that is left of its refusals is about signatures: 403."""


def _problem(status: HTTPStatus) -> str:
    """Give a problem document's template; in it API Gateway knows no status of its own."""
    return (
        f'{{"type":"about:blank","title":"{status.phrase}","status":{status.value},'
        '"detail":$context.error.messageString}'
    )
