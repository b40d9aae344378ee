"""Who may call which operation: the API's document says it, IAM enforces it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.api_document import Operation
from stacks.common.findings import acknowledge, wildcard_finding

_PLACEHOLDER = re.compile(r"\{[^}]+\}")
_ANY_ID = "Ids stand in the path; who may read one prediction or model may read any."


class GroupAccess(Construct):
    """Allows each group's role the operations that name the group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        stage: str,
        operations: Sequence[Operation],
        roles: Mapping[str, iam.Role],
    ) -> None:
        super().__init__(scope, construct_id)
        for group, role in roles.items():
            allowed = [each for each in operations if group in each.groups]
            resources = [self._arn(api, stage, each) for each in allowed]
            if not resources:
                continue
            policy = iam.Policy(
                self,
                group.capitalize(),
                roles=[role],
                statements=[
                    iam.PolicyStatement(actions=["execute-api:Invoke"], resources=resources)
                ],
            )
            findings = (wildcard_finding(policy, each) for each in resources)
            acknowledge(policy, {finding: _ANY_ID for finding in findings if finding})

    def _arn(self, api: apigateway.RestApi, stage: str, operation: Operation) -> str:
        path = _PLACEHOLDER.sub("*", operation.path)
        return Stack.of(self).format_arn(
            service="execute-api",
            resource=api.rest_api_id,
            resource_name=f"{stage}/{operation.method}{path}",
        )
