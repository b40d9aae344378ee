"""Workflow steps: each retries what is transient with full jitter, catches, and has a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.function import BlockFunction

FUNCTION_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
)
"""What Lambda itself raises; an exception of our own code is never among them."""

SAGEMAKER_ERRORS = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.SageMakerException",
    "SageMaker.SdkClientException",
)
"""Throttling, quotas and lost connections of calls that may be made twice."""

SAGEMAKER_JOB_ERRORS = (
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
)
"""A job was refused before it was there.

After any other error it may exist, and a second attempt would collide with its name.
"""

_QUEUE_SECONDS = 60


class Task(sfn.CustomState):
    """One call of a service, with the failure handling that every step has."""

    def __init__(
        self,
        scope: Construct,
        state_name: str,
        *,
        resource: str,
        parameters: Mapping[str, object],
        timeout_seconds: int,
        transient_errors: Sequence[str],
        result: Mapping[str, object],
    ) -> None:
        """Make the state; ``result`` is its ``ResultPath`` and perhaps its ``ResultSelector``."""
        super().__init__(
            scope,
            state_name,
            state_json={
                "Type": "Task",
                "Resource": resource,
                "Parameters": dict(parameters),
                "TimeoutSeconds": timeout_seconds,
                **result,
            },
        )
        self.retried_on(*transient_errors, seconds=2, attempts=5, rate=2, longest_seconds=60)

    def retried_on(
        self, *errors: str, seconds: int, attempts: int, rate: float, longest_seconds: int
    ) -> Task:
        """Try again on some errors, with full jitter, after pauses that grow to the longest."""
        self.add_retry(
            errors=list(errors),
            interval=Duration.seconds(seconds),
            max_attempts=attempts,
            backoff_rate=rate,
            max_delay=Duration.seconds(longest_seconds),
            jitter_strategy=sfn.JitterType.FULL,
        )
        return self

    def caught_by(self, handler: sfn.IChainable) -> Task:
        """Send every failure to a state, which finds it under ``$.failure``."""
        self.add_catch(handler, errors=["States.ALL"], result_path="$.failure")
        return self


def service_resource(integration: str) -> str:
    """Name a Step Functions integration, such as ``glue:startJobRun.sync``."""
    return f"arn:{Aws.PARTITION}:states:::{integration}"


def function_task(
    scope: Construct,
    state_name: str,
    *,
    function: BlockFunction,
    workflow_role: iam.Role,
    payload: Mapping[str, object],
    result_path: str,
) -> Task:
    """Call a function and keep its answer under ``result_path``."""
    function.function.grant_invoke_latest_version(workflow_role)
    return Task(
        scope,
        state_name,
        resource=function.function.function_arn,
        parameters=payload,
        timeout_seconds=function.timeout_seconds + _QUEUE_SECONDS,
        transient_errors=FUNCTION_ERRORS,
        result={"ResultPath": result_path},
    )


def failure(scope: Construct, state_name: str) -> sfn.Fail:
    """End an execution with the error that a task's Catch left under ``$.failure``."""
    return sfn.Fail(scope, state_name, error_path="$.failure.Error", cause_path="$.failure.Cause")


def with_defaults(scope: Construct, state_name: str, *, defaults: str) -> sfn.Pass:
    """Fill in what an execution's input leaves out; ``defaults`` is a JSON object."""
    escaped = defaults.replace("'", "\\'")
    return sfn.Pass(
        scope,
        state_name,
        parameters={"input.$": f"States.JsonMerge(States.StringToJson('{escaped}'), $, false)"},
        output_path="$.input",
    )
