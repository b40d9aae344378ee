"""Checks of what is deployed already: stacks that are stuck, and what would be in their way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from cli.doctor.findings import Account, Finding, Plan, fault, well
from cli.target import describe_stack

DELETE_FIRST = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
CONTINUE = {"UPDATE_ROLLBACK_FAILED"}


class Named(NamedTuple):
    """How a resource is found that a template names itself."""

    path: tuple[str, ...]
    service: str
    operation: str
    parameter: str


NAMED: Mapping[str, Named] = {
    "AWS::Athena::WorkGroup": Named(("Name",), "athena", "get_work_group", "WorkGroup"),
    "AWS::Glue::Database": Named(("DatabaseInput", "Name"), "glue", "get_database", "Name"),
    "AWS::S3::Bucket": Named(("BucketName",), "s3", "head_bucket", "Bucket"),
    "AWS::SageMaker::FeatureGroup": Named(
        ("FeatureGroupName",), "sagemaker", "describe_feature_group", "FeatureGroupName"
    ),
    "AWS::SageMaker::ModelPackageGroup": Named(
        ("ModelPackageGroupName",),
        "sagemaker",
        "describe_model_package_group",
        "ModelPackageGroupName",
    ),
}
"""What keeps its name when its stack is gone, and then is in the way of the next one."""


def stacks(plan: Plan) -> list[Finding]:
    """Look for stacks that cannot be updated."""
    client = plan.account.client("cloudformation")
    found = []
    for block in plan.assembly.templates:
        name = plan.stack_name(block)
        stack = describe_stack(client, name)
        if stack is not None:
            found += _judge(name, str(stack["StackStatus"]))
    return found or well("stacks", "none is stuck")


def _judge(name: str, status: str) -> list[Finding]:
    if status in DELETE_FIRST:
        remedy = f"Run: aws cloudformation delete-stack --stack-name {name}"
    elif status in CONTINUE:
        remedy = f"Run: aws cloudformation continue-update-rollback --stack-name {name}"
    elif status.endswith("_IN_PROGRESS"):
        remedy = "Wait until it has ended"
    else:
        return []
    return [fault("stacks", f"{name} is {status}", remedy)]


def leftovers(plan: Plan) -> list[Finding]:
    """Look for things of a name that a stack which does not exist yet would create."""
    client = plan.account.client("cloudformation")
    new = {
        block
        for block in plan.assembly.templates
        if describe_stack(client, plan.stack_name(block)) is None
    }
    found = [
        fault(
            "leftovers",
            f"{kind} {name} exists already, and {plan.stack_name(block)} would create it",
            "Delete it, or take it into the stack with: cdk import",
        )
        for block, kind, name in _named(plan, new)
        if _exists(plan.account, NAMED[kind], name)
    ]
    return found or well("leftovers", "no name is taken")


def _named(plan: Plan, blocks: set[str]) -> Iterator[tuple[str, str, str]]:
    for block, _, node in plan.assembly.resources:
        if block not in blocks or node["Type"] not in NAMED:
            continue
        value: Any = node["Properties"]
        for key in NAMED[node["Type"]].path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            yield block, node["Type"], value


def _exists(account: Account, named: Named, name: str) -> bool:
    try:
        getattr(account.client(named.service), named.operation)(**{named.parameter: name})
    except ClientError as error:
        if says_not_there(error):
            return False
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403 and named.service == "s3":  # noqa: PLR2004 - forbidden: another account's
            return True
        raise
    return True


def says_not_there(error: ClientError) -> bool:
    """Tell whether an error says that a thing does not exist; each service has its own words."""
    code, said = error.response["Error"]["Code"], error.response["Error"]["Message"].lower()
    if code in {"404", "NoSuchBucket", "EntityNotFoundException"} or "NotFound" in code:
        return True
    return any(words in said for words in ("does not exist", "could not find", "not found"))
