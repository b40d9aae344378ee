"""The check of where the code comes from: a connection that a person must allow, a branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.findings import Account, Finding, Plan, fault, well

AVAILABLE = "AVAILABLE"
CONSOLE = "https://console.aws.amazon.com/codesuite/settings/connections"


def source(plan: Plan) -> list[Finding]:
    """Look at the source that the configuration names."""
    build = plan.assembly.config["build"]
    if build is None:
        return well("source", "another environment's pipeline releases this one")
    settings = build["source"]
    if settings["kind"] == "code_connections":
        return _connection(plan.account, settings)
    if settings["kind"] == "code_commit":
        return _repository(plan.account, settings)
    return well("source", f"a zip under {settings['key']} in the artefact bucket")


def _connection(account: Account, settings: Mapping[str, Any]) -> list[Finding]:
    arn = settings["connection_arn"]
    owner = arn.split(":")[4]
    if owner != account.number:
        remedy = f"Make a connection in {account.number}: {CONSOLE}"
        return [fault("source", f"the connection belongs to account {owner}", remedy)]
    try:
        answer = account.client("codeconnections").get_connection(ConnectionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return [fault("source", f"there is no connection {arn}", f"Make one: {CONSOLE}")]
    status = answer["Connection"]["ConnectionStatus"]
    if status != AVAILABLE:
        remedy = f"A person has to allow it once: {CONSOLE}"
        return [fault("source", f"the connection is {status}", remedy)]
    return well("source", f"{settings['owner']}/{settings['repository']} is connected")


def _repository(account: Account, settings: Mapping[str, Any]) -> list[Finding]:
    name, branch = settings["repository"], settings["branch"]
    try:
        account.client("codecommit").get_branch(repositoryName=name, branchName=branch)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "RepositoryDoesNotExistException":
            remedy = f"Run: aws codecommit create-repository --repository-name {name}"
            return [fault("source", f"there is no CodeCommit repository {name}", remedy)]
        if code == "BranchDoesNotExistException":
            return [fault("source", f"{name} has no branch {branch}", f"Push to {branch}")]
        raise
    return well("source", f"CodeCommit {name}, branch {branch}")
