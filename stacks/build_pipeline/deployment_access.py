"""The roles that a build may take: those that `cdk bootstrap` made, and the environments' own."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam

from stacks.common.grants import grant_on
from stacks.config.model import EnvironmentConfig

_QUALIFIER = DefaultStackSynthesizer.DEFAULT_QUALIFIER


def grant_deployment(role: iam.Role, config: EnvironmentConfig) -> None:
    """Allow to deploy an environment's stacks, through the roles that CloudFormation checks."""
    account, region = _place(role, config)
    kinds = ("deploy", "file-publishing", "image-publishing", "lookup")
    names = [f"cdk-{_QUALIFIER}-{kind}-role-{account}-{region}" for kind in kinds]
    _grant_roles(role, account, names)


def grant_release(role: iam.Role, config: EnvironmentConfig, *blocks: str) -> None:
    """Allow to become what an environment's blocks offer the pipeline."""
    account, _ = _place(role, config)
    _grant_roles(role, account, [config.release_role_name(block) for block in blocks])


def _place(role: iam.Role, config: EnvironmentConfig) -> tuple[str, str]:
    stack = Stack.of(role)
    return config.account or stack.account, config.region or stack.region


def _grant_roles(role: iam.Role, account: str, names: list[str]) -> None:
    partition = Stack.of(role).partition
    arns = [f"arn:{partition}:iam::{account}:role/{name}" for name in names]
    grant_on(role, "sts:AssumeRole", resources=arns)
