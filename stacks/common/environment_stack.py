"""The base of the five stacks: named after the environment, deployed where the config says."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from stacks.config.model import EnvironmentConfig


class EnvironmentStack(Stack):
    """A stack called `Fourblocks-<environment>-<id>`; operators find it by this name."""

    def __init__(self, scope: Construct, construct_id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{config.stage_name}-{construct_id}",
            env=Environment(account=config.account, region=config.region),
        )
