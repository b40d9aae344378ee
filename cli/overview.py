"""`fourblocks status` and `fourblocks open`: what is deployed, runs and serves; how to call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from rich.table import Table

from cli.api import api_url, curl_example
from cli.datasets import get_item, latest_dataset, read_samples, use_case
from cli.project import CACHE, ROOT
from cli.screen import console, duration
from cli.target import BLOCKS

if TYPE_CHECKING:
    from pathlib import Path

    from cli.target import Target

WORKFLOWS = {
    "data pipeline": ("DataPipeline", "WorkflowArn"),
    "training pipeline": ("TrainingPipeline", "WorkflowArn"),
    "deployment": ("Inference", "DeploymentWorkflowArn"),
}
EXECUTIONS_SHOWN = 3
EXAMPLE_REQUEST = "example_request.json"


def show_status(target: Target) -> None:
    """Print stacks, executions, the latest dataset, the serving model and its endpoint."""
    console.print(stacks_table(target))
    if target.stack("Foundation") is None:
        console.print(f"Nothing is deployed yet. Run: {target.command('deploy')}")
        return
    console.print(executions_table(target))
    console.print(facts_table(target))


def stacks_table(target: Target) -> Table:
    """Lay out the five stacks."""
    table = Table("stack", "status", "last change", box=None)
    for block in BLOCKS:
        stack = target.stack(block) or {}
        changed = stack.get("LastUpdatedTime") or stack.get("CreationTime")
        when = f"{changed:%Y-%m-%d %H:%M:%S}" if changed else ""
        table.add_row(target.stack_name(block), stack.get("StackStatus", "not deployed"), when)
    return table


def executions_table(target: Target) -> Table:
    """Lay out the latest executions of each workflow."""
    table = Table("workflow", "execution", "status", "started", "took", box=None)
    sfn = target.client("stepfunctions")
    for name, (block, key) in WORKFLOWS.items():
        if target.stack(block) is None:
            continue
        arn = target.output(block, key)
        answer = sfn.list_executions(stateMachineArn=arn, maxResults=EXECUTIONS_SHOWN)
        for item in answer["executions"]:
            stopped = item.get("stopDate")
            took = duration((stopped - item["startDate"]).total_seconds()) if stopped else ""
            started = f"{item['startDate']:%Y-%m-%d %H:%M:%S}"
            table.add_row(name, item["name"][:36], item["status"], started, took)
    return table


def facts_table(target: Target) -> Table:
    """Lay out what is current."""
    table = Table(box=None, show_header=False)
    dataset = latest_dataset(target) or {}
    serving = serving_model(target) or {}
    table.add_row("use case", use_case(target))
    table.add_row("latest dataset", str(dataset.get("dataset_id", "none yet")))
    table.add_row("serving model", f"version {serving['version']}" if serving else "none yet")
    if target.stack("Inference") is not None:
        table.add_row("endpoint", endpoint_status(target))
        table.add_row("API", api_url(target))
    return table


def serving_model(target: Target) -> dict[str, Any] | None:
    """Return the record of what serves, or None before the first deployment."""
    key = {"pk": f"MODEL#{use_case(target)}", "sk": "SERVING"}
    return get_item(target, "ModelTableName", key)


def endpoint_status(target: Target) -> str:
    """Return the endpoint's name and status."""
    name = target.output("Inference", "EndpointName")
    try:
        described = target.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return f"{name}: none yet"
        raise
    return f"{name}: {described['EndpointStatus']}"


def show_api(target: Target) -> None:
    """Print the API's address and a curl call that works, with a real request."""
    request = write_example(target)
    console.print(f"API: {api_url(target)}", markup=False)
    console.print(f"approvals: {api_url(target, 'TrainingPipeline')}", markup=False)
    console.print("what it takes and gives: GET /openapi.json, docs/api.md", markup=False)
    console.print(f"people sign in with: {target.command('sign-in NAME')}", markup=False)
    console.print(f"A real request, for held-out entities: {request}", markup=False)
    if target.is_local:
        console.print('eval "$(.venv/bin/python -m localcloud env)"', markup=False)
    console.print(curl_example(target, str(request)), markup=False)


def write_example(target: Target) -> Path:
    """Write a request of the dataset's sample where curl can read it."""
    instances = [sample.get("instance", sample) for sample in read_samples(target, 2)]
    CACHE.mkdir(exist_ok=True)
    path = CACHE / EXAMPLE_REQUEST
    path.write_text(json.dumps({"instances": instances}), encoding="utf-8")
    return path.relative_to(ROOT)
