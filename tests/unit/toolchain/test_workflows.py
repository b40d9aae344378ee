"""GitHub's workflows: valid, of fixed versions, without keys; no text of strangers in a shell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
VERSION = re.compile(r"[\w./-]+@v\d+\.\d+\.\d+")
WORKFLOWS = {file.name: yaml.safe_load(file.read_text()) for file in FILES}
JOBS = [
    pytest.param(name, job, id=f"{file}: {name}")
    for file, workflow in WORKFLOWS.items()
    for name, job in workflow["jobs"].items()
]


def test_every_workflow_is_valid():
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema"]
    answer = subprocess.run(
        [*command, "vendor.github-workflows", *FILES], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_actions_have_a_full_version(name, job):
    used = [step["uses"] for step in job.get("steps", []) if "uses" in step]
    used += [job["uses"]] if "uses" in job else []

    for action in used:
        assert VERSION.fullmatch(action) or (FOLDER.parents[1] / action).is_file(), action


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_shell_gets_no_expression_that_a_stranger_may_have_written(name, job):
    for step in job.get("steps", []):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_there_is_no_key_and_no_secret(file):
    text = file.read_text()

    assert "secrets." not in text
    assert "aws-access-key-id" not in text


@pytest.mark.parametrize(("file", "workflow"), WORKFLOWS.items())
def test_a_workflow_may_read_and_no_more_unless_a_job_says_so(file, workflow):
    assert workflow["permissions"] == {"contents": "read"}


def test_only_deployments_ask_for_a_token_and_each_in_its_environment():
    asking = {
        (file, name): job
        for file, workflow in WORKFLOWS.items()
        for name, job in workflow["jobs"].items()
        if "id-token" in job.get("permissions", {})
    }

    assert {file for file, _ in asking} == {"deploy.yml", "release.yml"}
    assert asking["deploy.yml", "deploy"]["environment"] == "${{ inputs.environment }}"


def test_nothing_is_deployed_untested_and_prod_comes_last():
    jobs = WORKFLOWS["release.yml"]["jobs"]

    assert jobs["dev"]["needs"] == ["test", "build"]
    assert jobs["staging"]["needs"] == ["dev"]
    assert jobs["prod"]["needs"] == ["staging"]
    for name in ("dev", "staging", "prod"):
        assert jobs[name]["with"] == {"environment": name}
