"""The platform that a command speaks to: an environment, its session, its outputs."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ProfileNotFound

from cli.embedded import embedded_environment
from cli.errors import CredentialsError, NotThereError

LOCAL = "local"
BLOCKS = ("Foundation", "DataPipeline", "TrainingPipeline", "Inference", "BuildPipeline")
RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


class Target:
    """One environment of the platform, on AWS or embedded."""

    def __init__(self, *, environment: str, session: boto3.Session) -> None:
        """Speak to `environment` with the credentials of `session`."""
        self.environment = environment
        self.session = session
        self._clients: dict[str, Any] = {}
        self._outputs: dict[str, dict[str, str]] = {}

    @property
    def is_local(self) -> bool:
        """Tell whether this is the embedded AWS."""
        return self.environment == LOCAL

    @property
    def region(self) -> str:
        """Return the session's region.

        Raises:
            CredentialsError: neither the profile nor the options name one.

        """
        if not self.session.region_name:
            message = "No AWS region. Give --region, or set one in the profile."
            raise CredentialsError(message)
        return str(self.session.region_name)

    def client(self, service: str) -> Any:
        """Return the client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service, region_name=self.region, config=RETRIES
            )
        return self._clients[service]

    def stack_name(self, block: str) -> str:
        """Return the name of a block's stack."""
        return f"Fourblocks-{self.environment}-{block}"

    def stack(self, block: str) -> dict[str, Any] | None:
        """Describe a block's stack, or None where it does not exist."""
        return describe_stack(self.client("cloudformation"), self.stack_name(block))

    def output(self, block: str, key: str) -> str:
        """Return one output of a block's stack.

        Raises:
            NotThereError: the stack is not deployed, or has no such output.

        """
        if block not in self._outputs:
            self._outputs[block] = self._read_outputs(block)
        if key not in self._outputs[block]:
            message = (
                f"Stack {self.stack_name(block)} has no output {key}: another version deployed it."
            )
            raise NotThereError(f"{message} Run: {self.command('deploy')}")
        return self._outputs[block][key]

    def command(self, name: str) -> str:
        """Write a command of ours as the operator would type it for this environment."""
        suffix = "" if self.is_local else f" --environment {self.environment}"
        return f"fourblocks {name}{suffix}"

    def _read_outputs(self, block: str) -> dict[str, str]:
        stack = self.stack(block)
        if stack is None:
            message = (
                f"Stack {self.stack_name(block)} is not deployed. Run: {self.command('deploy')}"
            )
            raise NotThereError(message)
        return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


class Address(NamedTuple):
    """What the options of a command say about where to go."""

    environment: str
    profile: str | None
    region: str | None


def describe_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Describe a stack, or None where it does not exist."""
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return dict(stacks[0])


@cache
def use_embedded_aws() -> None:
    """Take the embedded AWS's address, certificate and keys into this process's environment."""
    if "AWS_ENDPOINT_URL" not in os.environ:
        os.environ.update(embedded_environment())


def open_target(address: Address) -> Target:
    """Open the environment that the options name.

    Raises:
        NotThereError: the embedded AWS is wanted and does not run.
        CredentialsError: the profile does not exist.

    """
    if address.environment == LOCAL:
        use_embedded_aws()
    try:
        session = boto3.Session(profile_name=address.profile, region_name=address.region)
    except ProfileNotFound as error:
        message = f"{error}. Profiles are in ~/.aws/config; choose one with --profile."
        raise CredentialsError(message) from error
    return Target(environment=address.environment, session=session)
