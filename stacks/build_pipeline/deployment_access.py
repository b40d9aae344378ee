"""What a build may do: take the roles that `cdk bootstrap` made, and nothing by itself."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam

from stacks.common.grants import grant_on

_QUALIFIER = DefaultStackSynthesizer.DEFAULT_QUALIFIER


def grant_image_publishing(role: iam.Role) -> None:
    """Allow to push assets: with the publishing roles and no other."""
    _grant_roles(role, "file-publishing", "image-publishing")


def grant_deployment(role: iam.Role) -> None:
    """Allow to deploy stacks, through the roles that CloudFormation checks."""
    _grant_roles(role, "deploy", "file-publishing", "image-publishing", "lookup")


def _grant_roles(role: iam.Role, *kinds: str) -> None:
    stack = Stack.of(role)
    roles = [
        f"arn:{stack.partition}:iam::{stack.account}:role/"
        f"cdk-{_QUALIFIER}-{kind}-role-{stack.account}-{stack.region}"
        for kind in kinds
    ]
    grant_on(role, "sts:AssumeRole", resources=roles)
