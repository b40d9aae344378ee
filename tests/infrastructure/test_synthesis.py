"""What holds for every environment: deterministic, offline, free of what we never want."""

from __future__ import annotations

import filecmp
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.config.environments import ENVIRONMENTS

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCKS = ("Foundation", "DataPipeline", "Inference", "TrainingPipeline", "BuildPipeline")
NO_CLOUD = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_EC2_METADATA_DISABLED": "true",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "CDK_VALIDATION": "false",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
}


def synthesise_in_new_process(environment: str, folder: Path) -> subprocess.CompletedProcess:
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env=kept
        | NO_CLOUD
        | {
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps(context | {"environment": environment}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_two_syntheses_are_byte_identical(environment, synthesise, tmp_path):
    first = synthesise(environment).folder
    answer = synthesise_in_new_process(environment, tmp_path)
    assert answer.returncode == 0, answer.stderr
    names = comparable(first)
    assert names == comparable(tmp_path)
    assert len([name for name in names if name.endswith(".template.json")]) == len(BLOCKS)
    for name in names:
        if name.endswith(".json"):
            assert filecmp.cmp(first / name, tmp_path / name, shallow=False), name


def comparable(folder: Path) -> list[str]:
    """All that is deployed; metadata and reports hold the stack traces of who synthesised."""
    described = (".metadata.json", "manifest.json", "tree.json", "validation-report.json")
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(described))


def test_an_unknown_environment_is_named_with_what_is_allowed(tmp_path):
    answer = synthesise_in_new_process("production", tmp_path)
    assert answer.returncode != 0
    assert "'production'" in answer.stderr
    for environment in ENVIRONMENTS:
        assert environment in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_stacks_are_named_after_environment_and_block(environment, synthesise):
    manifest = json.loads((synthesise(environment).folder / "manifest.json").read_text())
    names = {
        node["properties"]["stackName"]
        for node in manifest["artifacts"].values()
        if node["type"] == "aws:cloudformation:stack"
    }
    assert names == {f"Fourblocks-{environment}-{block}" for block in BLOCKS}


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(r"FullAccess|AdministratorAccess", id="broad managed policies"),
        pytest.param(r":latest\b", id="moving image tags"),
        pytest.param(r"Custom::|AWS::CloudFormation::CustomResource", id="custom resources"),
        pytest.param(
            r"AWS::SageMaker::(Model|EndpointConfig|Endpoint)\b", id="models in templates"
        ),
        pytest.param(r"\{\{resolve:|AKIA[0-9A-Z]{16}", id="secrets"),
    ],
)
def test_templates_are_free_of(forbidden, environment, synthesise):
    for block, template in synthesise(environment).templates.items():
        found = re.search(forbidden, json.dumps(template))
        assert found is None, f"{block}: {found}"


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_no_policy_allows_every_action(environment, synthesise):
    for block, name, node in synthesise(environment).every("AWS::IAM::Policy"):
        for statement in node["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Action"] != "*", (block, name)
            assert "*" not in statement["Action"], (block, name)


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_only_the_foundation_holds_state(environment, synthesise):
    stateful = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::ECR::Repository")
    for kind in stateful:
        assert {block for block, _, _ in synthesise(environment).every(kind)} <= {"Foundation"}


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_every_log_group_has_a_limit(environment, synthesise):
    groups = synthesise(environment).every("AWS::Logs::LogGroup")
    days = ENVIRONMENTS[environment].log_days
    assert groups
    assert {node["Properties"]["RetentionInDays"] for _, _, node in groups} == {days}


def test_outputs_are_those_the_operator_reads(local):
    expected = {
        "Foundation": {
            "UseCase",
            "RawLakeBucketName",
            "ModelInputBucketName",
            "ModelBucketName",
            "ConfigBucketName",
            "MetadataTableName",
            "ModelTableName",
            "LedgerTableName",
            "PredictionTableName",
        },
        "DataPipeline": {"WorkflowArn", "TransformJobName", "DatabaseName"},
        "TrainingPipeline": {"WorkflowArn"},
        "Inference": {"ApiUrl", "ApiId", "ApiStage", "EndpointName", "DeploymentWorkflowArn"},
        "BuildPipeline": {"PipelineName"},
    }
    for block, names in expected.items():
        assert names <= set(local.templates[block]["Outputs"]), block
