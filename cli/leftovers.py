"""What of an environment still costs money: found by name and by tag, whatever the stacks say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cli.target import BLOCKS, Target

STACK_TAG = "aws:cloudformation:stack-name"
GONE = ("DELETE_COMPLETE",)
ENDED = {"DELETING", "TERMINATED", "deleting", "deleted"}


class Leftover(NamedTuple):
    """One thing that is still there."""

    kind: str
    name: str


class Names(NamedTuple):
    """How things of an environment are called."""

    stack: str
    """What the names of stacks begin with, and of what they name."""
    prefix: str
    """What the names of jobs and endpoints begin with."""


def names_of(environment: str) -> Names:
    """Return how things of an environment are called."""
    return Names(f"Fourblocks-{environment}-", f"fourblocks-{environment}-")


def left(target: Target) -> list[Leftover]:
    """Look for all that an environment may be billed for."""
    names = names_of(target.environment)
    found = {item for probe in PROBES for item in probe(target, names)}
    return sorted(found)


def _pages(target: Target, service: str, operation: str, key: str, **request: Any) -> Iterator[Any]:
    paginator = target.client(service).get_paginator(operation)
    for page in paginator.paginate(**request):
        yield from page.get(key, [])


def _stacks(target: Target, names: Names) -> Iterator[Leftover]:
    for stack in _pages(target, "cloudformation", "describe_stacks", "Stacks"):
        if stack["StackName"].startswith(names.stack) and stack["StackStatus"] not in GONE:
            yield Leftover("stack", stack["StackName"])


def _sagemaker(
    kind: str, operation: str, key: str, name: str, **request: Any
) -> Callable[[Target, Names], Iterator[Leftover]]:
    def probe(target: Target, names: Names) -> Iterator[Leftover]:
        wanted = {"NameContains": names.prefix, **request}
        for item in _pages(target, "sagemaker", operation, key, **wanted):
            if item[name].startswith(names.prefix):
                yield Leftover(kind, item[name])

    return probe


def _buckets(target: Target, names: Names) -> Iterator[Leftover]:
    for bucket in target.client("s3").list_buckets()["Buckets"]:
        if bucket["Name"].startswith(names.prefix):
            yield Leftover("bucket", bucket["Name"])


def _tables(target: Target, names: Names) -> Iterator[Leftover]:
    for table in _pages(target, "dynamodb", "list_tables", "TableNames"):
        if table.startswith(names.stack):
            yield Leftover("table", table)


def _backups(target: Target, names: Names) -> Iterator[Leftover]:
    """Look for backups of tables: they outlive the tables."""
    request: dict[str, Any] = {}
    while True:
        answer = target.client("dynamodb").list_backups(**request)
        for backup in answer["BackupSummaries"]:
            if backup["TableName"].startswith(names.stack):
                yield Leftover("backup", backup["BackupName"])
        if "LastEvaluatedBackupArn" not in answer:
            return
        request = {"ExclusiveStartBackupArn": answer["LastEvaluatedBackupArn"]}


def log_groups(target: Target, names: Names) -> Iterator[Leftover]:
    """Look for the log groups of stacks, functions and endpoints."""
    endpoints = f"/aws/sagemaker/Endpoints/{names.prefix}"
    for prefix in (names.stack, f"/aws/lambda/{names.stack}", endpoints):
        for group in _pages(
            target, "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        ):
            yield Leftover("log group", group["logGroupName"])


def _applications(target: Target, names: Names) -> Iterator[Leftover]:
    for item in _pages(target, "emr-serverless", "list_applications", "applications"):
        if item["name"].startswith((names.stack, names.prefix)) and item["state"] not in ENDED:
            yield Leftover("EMR application", item["name"])


def _tagged(target: Target, names: Names) -> Iterator[Leftover]:
    """Look for what a stack made and left: keys, NAT gateways, snapshots, whatever has a tag."""
    filters = [{"Key": STACK_TAG, "Values": [f"{names.stack}{block}" for block in BLOCKS]}]
    for item in _pages(
        target,
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
    ):
        arn = item["ResourceARN"]
        if not _goes_by_itself(target, arn):
            yield Leftover(f"tagged {arn.split(':')[2]}", arn)


def _goes_by_itself(target: Target, arn: str) -> bool:
    """Tell whether a key waits for its deletion, which costs nothing."""
    if ":key/" not in arn:
        return False
    state = target.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    return bool(state == "PendingDeletion")


PROBES: tuple[Callable[[Target, Names], Iterator[Leftover]], ...] = (
    _stacks,
    _sagemaker("endpoint", "list_endpoints", "Endpoints", "EndpointName"),
    _sagemaker(
        "training job",
        "list_training_jobs",
        "TrainingJobSummaries",
        "TrainingJobName",
        StatusEquals="InProgress",
    ),
    _sagemaker(
        "processing job",
        "list_processing_jobs",
        "ProcessingJobSummaries",
        "ProcessingJobName",
        StatusEquals="InProgress",
    ),
    _sagemaker("feature group", "list_feature_groups", "FeatureGroupSummaries", "FeatureGroupName"),
    _buckets,
    _tables,
    _backups,
    log_groups,
    _applications,
    _tagged,
)


def is_kept(item: Leftover, kept: Mapping[str, str]) -> bool:
    """Tell whether the configuration wants it kept; `kept` has types by physical name."""
    return any(name == item.name or item.name.endswith((f":{name}", f"/{name}")) for name in kept)
