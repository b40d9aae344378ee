"""The one way to make a Lambda function: own role, own log group, code of its block."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.assets import REPOSITORY, function_admissions
from stacks.common.findings import acknowledge
from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays


class BlockFunction(Construct):
    """The function `lambdas/<block>/<name>`; `role` is the role that its grants go to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        block: str,
        name: str,
        settings: Mapping[str, str],
        log_days: LogRetentionDays,
        timeout_seconds: int = 60,
        memory_mb: int = 256,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = RetainedLogGroup(self, "Logs", days=log_days)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.timeout_seconds = timeout_seconds
        self.function = lambda_.Function(
            self,
            "Function",
            code=lambda_.Code.from_asset(
                str(REPOSITORY),
                exclude=function_admissions(block, name),
                ignore_mode=IgnoreMode.GIT,
            ),
            handler=f"lambdas.{block}.{name}.handler.lambda_handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            role=self.role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            environment=dict(settings),
        )
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": (
                    "The runtime is pinned: a newer one is taken when the code was tested on it."
                )
            },
        )
