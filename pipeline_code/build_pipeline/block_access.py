"""An environment's blocks as the pipeline reaches them: as each block's role, by its outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
)
from botocore.session import get_session

from pipeline_code.build_pipeline.contract import Variable


class Block(NamedTuple):
    """A session as the role that a block has for the pipeline, and what may be read with it."""

    session: Any
    outputs: Mapping[str, str]
    """Of the block's stack and of the foundation."""


def open_block(name: str, stack: str) -> Block:
    """Become the role of a block of this build's environment."""
    environment = os.environ[Variable.ENVIRONMENT]
    session = _session(f"fourblocks-{environment}-release-{name}")
    cloudformation = session.client("cloudformation")
    outputs: dict[str, str] = {}
    for each in ("Foundation", stack):
        answer = cloudformation.describe_stacks(StackName=f"Fourblocks-{environment}-{each}")
        found = answer["Stacks"][0].get("Outputs", [])
        outputs |= {item["OutputKey"]: item["OutputValue"] for item in found}
    return Block(session, outputs)


def _session(role_name: str) -> Any:
    """Assume a role, again and again: AWS gives a role that was taken by a role an hour."""
    own = get_session()
    account = os.environ.get(Variable.RELEASE_ACCOUNT) or _own_account()
    partition = own.get_partition_for_region(own.get_config_variable("region"))
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=own.create_client,
        source_credentials=own.get_credentials(),
        role_arn=f"arn:{partition}:iam::{account}:role/{role_name}",
        extra_args={"RoleSessionName": os.environ.get(Variable.EXECUTION_ID) or "release"},
    )
    taken = get_session()
    taken._credentials = DeferredRefreshableCredentials(  # noqa: SLF001 - botocore has no setter
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return boto3.Session(botocore_session=taken)


def _own_account() -> str:
    return str(boto3.client("sts").get_caller_identity()["Account"])
