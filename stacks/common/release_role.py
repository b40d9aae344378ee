"""What the build pipeline becomes in an environment, to prove what it has deployed there."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.grants import grant_on


class ReleaseRole(iam.Role):
    """One block's role for the pipeline's account; it may read outputs, the foundation's too.

    It has a name: the pipeline, maybe in another account, must know it beforehand.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        stage_name: str,
        pipeline_account: str | None,
    ) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            role_name=name,
            assumed_by=iam.AccountPrincipal(pipeline_account or stack.account),
        )
        stacks = [
            stack.format_arn(service="cloudformation", resource="stack", resource_name=f"{each}/*")
            for each in (stack.stack_name, f"{stage_name}-Foundation")
        ]
        grant_on(
            self,
            "cloudformation:DescribeStacks",
            resources=stacks,
            wildcard_reason="A stack's ARN ends in an id that is made with the stack.",
        )

    def allow_run(self, machine: sfn.StateMachine) -> None:
        """Allow to run a workflow and to follow it."""
        grant_on(
            self,
            "states:StartExecution",
            "states:ListExecutions",
            resources=[machine.state_machine_arn],
        )
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        grant_on(
            self,
            "states:DescribeExecution",
            "states:GetExecutionHistory",
            resources=[executions],
            wildcard_reason="Executions of this one workflow are named when they start.",
        )
