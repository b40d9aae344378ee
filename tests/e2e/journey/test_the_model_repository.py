"""Seals, verdicts, approvals, configurations and reproduction, on the deployed platform."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Platform

APPROVER = "approver"
WORKFLOW_SECONDS = 60


def record(platform: Platform, version: int) -> dict[str, Any]:
    outputs = platform.outputs("Foundation")
    key = {"pk": {"S": f"MODEL#{outputs['UseCase']}"}, "sk": {"S": f"V#{version:08d}"}}
    item = platform.client("dynamodb").get_item(TableName=outputs["ModelTableName"], Key=key)
    return item["Item"]


def ledger_events(platform: Platform) -> list[tuple[str, str]]:
    outputs = platform.outputs("Foundation")
    items = platform.client("dynamodb").query(
        TableName=outputs["LedgerTableName"],
        KeyConditionExpression="chain = :chain",
        ExpressionAttributeValues={":chain": {"S": outputs["UseCase"]}},
    )["Items"]
    return [(item["event_type"]["S"], item["subject"]["S"]) for item in items]


def endpoint_config(platform: Platform) -> str:
    name = platform.outputs("Inference")["EndpointName"]
    return platform.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointConfigName"]


def deploy(platform: Platform, version: int) -> tuple[str, str]:
    """Run the deployment workflow; give its status and what it failed with."""
    client = platform.client("stepfunctions")
    started = client.start_execution(
        stateMachineArn=platform.outputs("Inference")["DeploymentWorkflowArn"],
        input=json.dumps({"version": version, "reason": "e2e", "requested_by": "somebody"}),
    )["executionArn"]
    while True:
        described = client.describe_execution(executionArn=started)
        if described["status"] != "RUNNING":
            return described["status"], described.get("cause", "")


def await_state(platform: Platform, version: int, state: str) -> None:
    """Read a version's record until the workflow has changed it."""
    deadline = time.monotonic() + WORKFLOW_SECONDS
    while record(platform, version)["state"]["S"] != state:
        assert time.monotonic() < deadline, record(platform, version)["state"]


@pytest.fixture(scope="module")
def approver(bare_platform: Platform) -> Iterator[Platform]:
    """Another person: allowed to call the approval API and to read what its command shows."""
    iam = bare_platform.client("iam")
    iam.create_user(UserName=APPROVER)
    statement = {
        "Effect": "Allow",
        "Action": ["execute-api:Invoke", "dynamodb:GetItem", "cloudformation:DescribeStacks"],
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=APPROVER, PolicyName="approve", PolicyDocument=policy)
    key = iam.create_access_key(UserName=APPROVER)["AccessKey"]
    own = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    yield Platform(bare_platform.project, {**bare_platform.environment, **own})
    iam.delete_access_key(UserName=APPROVER, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=APPROVER, PolicyName="approve")
    iam.delete_user(UserName=APPROVER)


def configuration(platform: Platform, folder: Path, name: str, **changes: str) -> Path:
    """Write the use case's configuration with some lines changed."""
    text = (platform.project / "use_cases" / "flight_delays" / "members.yaml").read_text()
    for old, new in changes.values():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def test_the_command_lists_versions_and_says_why(bare_platform: Platform):
    assert "deployed" in bare_platform.command("models")
    words = bare_platform.command("why", "1")
    assert "It was promoted: every rule is kept." in words
    assert "there is no champion to beat" in words
    assert "model_deployed" in words


def test_the_version_is_mirrored_to_the_model_package_group(bare_platform: Platform):
    group = bare_platform.outputs("Foundation")["ModelPackageGroup"]
    client = bare_platform.client("sagemaker")
    (package,) = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    described = client.describe_model_package(ModelPackageName=package["ModelPackageArn"])
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["CustomerMetadataProperties"]["version"] == "1"
    assert package["ModelPackageArn"] == record(bare_platform, 1)["package_arn"]["S"]


def test_a_flipped_byte_is_refused_before_any_traffic_and_released_by_another_person(
    bare_platform: Platform, approver: Platform
):
    s3, before = bare_platform.client("s3"), endpoint_config(bare_platform)
    bucket, _, key = record(bare_platform, 1)["artefact_uri"]["S"][5:].partition("/")
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    half = len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :]
    s3.put_object(Bucket=bucket, Key=key, Body=flipped)
    try:
        status, cause = deploy(bare_platform, 1)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=whole)

    assert status == "FAILED"
    assert "the artefact does not have the digest that was signed" in cause
    assert record(bare_platform, 1)["state"]["S"] == "blocked"
    assert ("artefact_refused", "v1") in ledger_events(bare_platform)
    assert endpoint_config(bare_platform) == before
    assert "blocked" in deploy(bare_platform, 1)[1]

    # The operator of the embedded AWS is its root user, of whom its API Gateway says no name.
    refused = bare_platform.refused("approve", "1", "--reason", "it is whole again")
    assert "does not say who decides" in refused
    approver.command("approve", "1", "--reason", "the artefact is whole again")
    # The same inputs train nothing new: what they gave is approved, and is deployed now.
    bare_platform.command("train", "--reason", "the artefact is whole again")
    assert record(bare_platform, 1)["state"]["S"] == "deployed"


def test_a_bad_configuration_is_refused_by_its_fields_name(bare_platform: Platform, tmp_path: Path):
    bad = configuration(bare_platform, tmp_path, "bad", seed=("seed: 20131231", "seed: often"))
    words = bare_platform.refused("train", "--config", str(bad))
    assert "seed is 'often', but must be a whole number" in words
    assert any(event == "config_refused" for event, _ in ledger_events(bare_platform))


def test_a_challenger_within_noise_asks_a_person_and_nobody_else_is_that_person(
    bare_platform: Platform, approver: Platform, tmp_path: Path
):
    # The same members give the same model: a gain of nothing, which no resampling makes sure.
    asked = configuration(
        bare_platform,
        tmp_path,
        "noise",
        chance=("min_gain_chance: 0.0\n", "min_gain_chance: 1.0\n"),
    )
    words = bare_platform.command("train", "--config", str(asked))
    assert "verdict: needs_approval" in words
    why = bare_platform.command("why", "2")
    assert "A person has to decide: The gain in log loss is within noise" in why
    assert record(bare_platform, 2)["state"]["S"] == "candidate"

    approver.command("reject", "2", "--reason", "no gain that we could be sure of")

    await_state(bare_platform, 2, "rejected")
    assert ("model_rejected", "v2") in ledger_events(bare_platform)


def test_a_version_is_reproduced_to_the_same_digest(bare_platform: Platform):
    words = bare_platform.command("reproduce", "1")
    assert "equal: version 1 was reproduced" in words
