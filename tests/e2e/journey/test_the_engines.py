"""Glue and EMR Serverless: the same batch gives the same dataset, whichever runs the Spark job."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.journey.grants import remember_grants

STACK = "Fourblocks-local/DataPipeline"
RUN_SECONDS = 300
DEPLOY_SECONDS = 300
SETTINGS = re.compile(r"data_pipeline=DataPipelineSettings\(settle_seconds=\d+")


def latest(platform) -> dict[str, Any]:
    outputs = platform.outputs("Foundation")
    key = {"pk": {"S": f"DATASET#{outputs['UseCase']}"}, "sk": {"S": "LATEST"}}
    return platform.client("dynamodb").get_item(TableName=outputs["MetadataTableName"], Key=key)


@pytest.fixture
def published(bare_platform, sources) -> str:
    """Return the id of the dataset that Glue made of what has landed."""
    if "Item" not in latest(bare_platform):
        bare_platform.command("ingest", str(sources))
    return latest(bare_platform)["Item"]["dataset_id"]["S"]


def deploy(platform) -> None:
    """Deploy the data pipeline's stack alone, with the CDK's own command."""
    done = subprocess.run(
        [
            str(platform.project / "node_modules" / ".bin" / "cdk"),
            *("deploy", "--exclusively", STACK, "--require-approval", "never"),
            *("-c", "environment=local"),
        ],
        cwd=platform.project,
        env={**platform.environment, "CDK_VALIDATION": "false"},
        capture_output=True,
        text=True,
        timeout=DEPLOY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@contextmanager
def on_emr_serverless(platform) -> Iterator[None]:
    """Change one line of the environment's config, and change it back."""
    file = platform.project / "stacks" / "config" / "environments.py"
    text = file.read_text()
    changed, count = SETTINGS.subn(r'\g<0>, engine="emr_serverless"', text)
    assert count == 1
    file.write_text(changed)
    try:
        deploy(platform)
        yield
    finally:
        file.write_text(text)
        deploy(platform)


@contextmanager
def without_training(platform) -> Iterator[None]:
    """Keep a dataset that is there already from being trained on again."""
    events = platform.client("events")
    names = [
        rule["Name"]
        for rule in events.list_rules()["Rules"]
        if "DatasetPublished" in rule.get("EventPattern", "")
    ]
    assert names
    for name in names:
        events.disable_rule(Name=name)
    try:
        yield
    finally:
        for name in names:
            events.enable_rule(Name=name)


def run_again(platform) -> dict[str, Any]:
    """Have the workflow run once more on all that has landed; return its output."""
    states = platform.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=platform.outputs("DataPipeline")["WorkflowArn"],
        input=json.dumps({"force": True}),
    )
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        execution = states.describe_execution(executionArn=started["executionArn"])
        if execution["status"] != "RUNNING":
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert execution["status"] == "SUCCEEDED", execution
    return json.loads(execution["output"])


def report_of(platform, run_id: str) -> dict[str, Any]:
    bucket = platform.outputs("Foundation")["ModelInputBucketName"]
    answer = platform.client("s3").get_object(Bucket=bucket, Key=f"runs/{run_id}/report.json")
    return json.loads(answer["Body"].read())


def test_emr_serverless_makes_the_dataset_that_glue_made(bare_platform, published):
    refused_before = len(bare_platform.denials())
    with without_training(bare_platform), on_emr_serverless(bare_platform):
        outcome = run_again(bare_platform)
        remember_grants(bare_platform)
        application = bare_platform.outputs("DataPipeline")["TransformApplicationId"]
        emr = bare_platform.client("emr-serverless")
        (run,) = emr.list_job_runs(applicationId=application)["jobRuns"]

    assert outcome["dataset"]["dataset_id"] == published
    assert (run["state"], run["id"]) == ("SUCCESS", outcome["transform"]["job_run_id"])
    report = report_of(bare_platform, outcome["batch"]["run_id"])
    assert report["dataset_id"] == published
    assert sum(report["rows"].values()) > 0
    assert bare_platform.denials()[refused_before:] == []
    assert "TransformJobName" in bare_platform.outputs("DataPipeline")
    assert latest(bare_platform)["Item"]["dataset_id"]["S"] == published
