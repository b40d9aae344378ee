"""`fourblocks destroy`: what runs, what the stacks hold, and then a look at what is left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from cli.deployment import run_cdk
from cli.errors import RefusedError
from cli.leftovers import Leftover, is_kept, left, log_groups, names_of
from cli.project import ROOT
from cli.screen import console, lines_table, one_step
from cli.target import Target

BATCH = 1000
"""Versions that one request deletes."""


def destroy(target: Target) -> None:
    """Remove an environment, but for what its configuration keeps, and say what is left.

    Raises:
        RefusedError: something that costs money is left and should not be.

    """
    kept = kept_resources(target)
    with one_step(f"stop what runs ({target.environment})") as step:
        for name in (*stop_jobs(target), *stop_endpoints(target)):
            step.say(name)
    with one_step("empty the buckets that go") as step:
        for bucket in buckets_that_go(target):
            step.say(bucket)
            empty(target, bucket)
    with one_step(f"cdk destroy ({target.environment})") as step:
        context = ("--context", f"environment={target.environment}")
        output = ("--output", str(ROOT / "build" / "cdk" / target.environment))
        run_cdk(target, ["destroy", "**", "--force", *context, *output], step)
    remove_logs(target)
    tell(left(target), kept)


def show_what_is_there(target: Target) -> None:
    """List what costs money, and what of it would stay when the environment goes."""
    kept = kept_resources(target)
    rows = [(*item, "stays" if is_kept(item, kept) else "goes") for item in left(target)]
    console.print(lines_table(rows, "kind", "name", "destroy"))


def tell(found: list[Leftover], kept: Mapping[str, str]) -> None:
    """Say what is left: what is kept on purpose, and what is not.

    Raises:
        RefusedError: something is left that the configuration does not keep.

    """
    wanted = [item for item in found if is_kept(item, kept)]
    forgotten = [item for item in found if item not in wanted]
    if wanted:
        console.print("Kept, as the configuration says (removal: retain):")
        console.print(lines_table(wanted, "kind", "name"))
    if not forgotten:
        console.print("Nothing else that costs money is left.")
        return
    console.print(lines_table(forgotten, "kind", "name"))
    message = f"{len(forgotten)} things are left that cost money. Delete them, or run this again."
    raise RefusedError(message)


def foundation(target: Target) -> Iterator[tuple[str, str, str]]:
    """Read what the foundation holds: type, physical name and what becomes of it."""
    client = target.client("cloudformation")
    name = target.stack_name("Foundation")
    if target.stack("Foundation") is None:
        return
    written = client.get_template(StackName=name)["TemplateBody"]
    template: Mapping[str, Any] = json.loads(written) if isinstance(written, str) else written
    declared: Mapping[str, Any] = template["Resources"]
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    for page in pages:
        for item in page["StackResourceSummaries"]:
            policy = declared.get(item["LogicalResourceId"], {}).get("DeletionPolicy", "Delete")
            yield item["ResourceType"], item["PhysicalResourceId"], policy


def kept_resources(target: Target) -> dict[str, str]:
    """Return what stays when the stacks go: its type by its physical name."""
    return {name: kind for kind, name, policy in foundation(target) if policy == "Retain"}


def buckets_that_go(target: Target) -> list[str]:
    """List the buckets that CloudFormation deletes; it deletes none that holds anything."""
    return [
        name
        for kind, name, policy in foundation(target)
        if kind == "AWS::S3::Bucket" and policy == "Delete"
    ]


def empty(target: Target, bucket: str) -> None:
    """Delete every version of every object."""
    client = target.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        for start in range(0, len(versions), BATCH):
            chunk = versions[start : start + BATCH]
            client.delete_objects(Bucket=bucket, Delete={"Objects": chunk, "Quiet": True})


def stop_jobs(target: Target) -> Iterator[str]:
    """Stop the jobs that are under way."""
    prefix = names_of(target.environment).prefix
    client = target.client("sagemaker")
    for noun in ("training", "processing", "transform"):
        title = noun.capitalize()
        pages = client.get_paginator(f"list_{noun}_jobs").paginate(
            NameContains=prefix, StatusEquals="InProgress"
        )
        names = [item[f"{title}JobName"] for page in pages for item in page[f"{title}JobSummaries"]]
        for name in names:
            if name.startswith(prefix):
                getattr(client, f"stop_{noun}_job")(**{f"{title}JobName": name})
                yield name


def remove_logs(target: Target) -> None:
    """Delete the log groups that services made for what ran; no stack knows them."""
    for item in log_groups(target, names_of(target.environment)):
        target.client("logs").delete_log_group(logGroupName=item.name)


def stop_endpoints(target: Target) -> Iterator[str]:
    """Delete the endpoints, configs and models that workflows made; no stack knows them."""
    prefix = names_of(target.environment).prefix
    client = target.client("sagemaker")
    for operation, key, name, delete in (
        ("list_endpoints", "Endpoints", "EndpointName", client.delete_endpoint),
        (
            "list_endpoint_configs",
            "EndpointConfigs",
            "EndpointConfigName",
            client.delete_endpoint_config,
        ),
        ("list_models", "Models", "ModelName", client.delete_model),
    ):
        pages = client.get_paginator(operation).paginate(NameContains=prefix)
        found = [item[name] for page in pages for item in page[key]]
        for each in found:
            if each.startswith(prefix):
                _delete(delete, name, each)
                yield each


def _delete(delete: Any, parameter: str, name: str) -> None:
    try:
        delete(**{parameter: name})
    except ClientError as error:
        if "Could not find" not in error.response["Error"]["Message"]:
            raise  # an endpoint that goes already is no error; all else is
