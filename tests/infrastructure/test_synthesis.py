"""What holds for every environment: deterministic, offline, free of what we never want."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stacks.config.environments import ENVIRONMENTS
from tests.infrastructure.synthesis import REPOSITORY, blocks_of

DEAD_PROXY = "http://127.0.0.1:9"
NO_CLOUD = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "HTTP_PROXY": DEAD_PROXY,
    "HTTPS_PROXY": DEAD_PROXY,
}
NO_NETWORK = ("unshare", "--map-root-user", "--net")
SYNTHESISE_ALL = """
import sys
sys.path.append("tests/infrastructure")  # some packages install a package named tests
from synthesis import synthesise_into
for environment in sys.argv[2:]:
    synthesise_into(f"{sys.argv[1]}/{environment}", environment)
"""


def run(*command: str) -> subprocess.CompletedProcess:
    """Run a command of the repository without credentials, settings or a way to AWS."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=kept | NO_CLOUD | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def cdk_synth(environment: str, folder: Path) -> subprocess.CompletedProcess:
    """Run the real CLI where there is no network at all, if the system allows that."""
    prefix = NO_NETWORK if shutil.which(NO_NETWORK[0]) and isolates() else ()
    cdk = str(REPOSITORY / "node_modules" / ".bin" / "cdk")
    context = ("--context", f"environment={environment}")
    return run(*prefix, cdk, "synth", "--quiet", *context, "--output", str(folder))


def isolates() -> bool:
    return run(*NO_NETWORK, "true").returncode == 0


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> list[Path]:
    """All environments by two interpreters at once, which hash differently."""
    folders = [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]
    with ThreadPoolExecutor() as pool:
        answers = pool.map(synthesise_all, folders, ("1", "2"))
    for answer in answers:
        assert answer.returncode == 0, answer.stderr
    return folders


def synthesise_all(folder: Path, seed: str) -> subprocess.CompletedProcess:
    command = (sys.executable, "-c", SYNTHESISE_ALL, str(folder), *ENVIRONMENTS)
    return run("env", f"PYTHONHASHSEED={seed}", *command)


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_two_syntheses_are_byte_identical(environment, twice):
    first, second = (folder / environment for folder in twice)
    names = comparable(first)
    assert names == comparable(second)
    assert len([name for name in names if name.endswith(".template.json")]) == len(
        blocks_of(environment)
    )
    for name in names:
        if name.endswith(".json"):
            assert filecmp.cmp(first / name, second / name, shallow=False), name


def comparable(folder: Path) -> list[str]:
    """All that is deployed; metadata and reports hold the stack traces of who synthesised."""
    described = (".metadata.json", "manifest.json", "tree.json", "validation-report.json")
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(described))


def test_assets_hold_no_caches(local):
    """What a run leaves beside the code must not change the digest of the code."""
    names = {path.name for path in local.folder.rglob("*")}
    assert "handler.py" in names
    assert not [name for name in names if name == "__pycache__" or name.endswith((".pyc", ".pyo"))]


def test_the_cli_synthesises_without_credentials_and_network(tmp_path):
    answer = cdk_synth("prod", tmp_path)
    assert answer.returncode == 0, answer.stderr
    templates = [path.name for path in tmp_path.glob("*.template.json")]
    assert len(templates) == len(blocks_of("prod"))


def test_an_unknown_environment_is_named_with_what_is_allowed(tmp_path):
    answer = cdk_synth("production", tmp_path)
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
    assert names == {f"Fourblocks-{environment}-{block}" for block in blocks_of(environment)}


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
