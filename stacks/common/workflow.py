"""The one way to make a state machine: logged, traced, limited, and run as its own role."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.findings import acknowledge, wildcard_finding
from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays


class WorkflowRole(iam.Role):
    """The role of a state machine; each step grants to it what the step needs."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope, construct_id, assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        acknowledge(
            self,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "X-Ray, the delivery of vended logs and sagemaker:ListTags know no resources."
                )
            },
        )


class Workflow(Construct):
    """A state machine of one block."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        start: sfn.IChainable,
        role: WorkflowRole,
        timeout_seconds: int,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self.machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(start),
            role=role,
            timeout=Duration.seconds(timeout_seconds),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=RetainedLogGroup(self, "Logs", days=log_days),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )

    def allow_describe_executions(self, *roles: iam.Role) -> None:
        """Let functions ask whether the execution that holds a claim still runs.

        A policy of its own: in the roles' own policies it would make the functions depend on the
        state machine that depends on them.
        """
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        policy = iam.Policy(
            self,
            "DescribeExecutions",
            roles=list(roles),
            statements=[
                iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])
            ],
        )
        finding = wildcard_finding(self, executions)
        if finding is not None:
            reason = "Executions of one state machine, each named when it starts."
            acknowledge(policy, {finding: reason})
