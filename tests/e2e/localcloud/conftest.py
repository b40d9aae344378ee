"""An embedded AWS of its own for these tests, on a free port, with a small CDK app deployed to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[3]
SMALL_APP = Path(__file__).with_name("small_app")
CDK = ROOT / "node_modules" / ".bin" / "cdk"
COMMAND_SECONDS = 300


@dataclass(frozen=True)
class Cloud:
    """An embedded AWS, driven through its command line and the AWS clients only."""

    state: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m localcloud`."""
        return subprocess.run(
            [sys.executable, "-m", "localcloud", *arguments, "--state", str(self.state)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that `env` gives to every client."""
        variables: dict[str, str] = json.loads(self.command("env", "--json").stdout)
        return variables

    def client(self, service: str) -> Any:
        """Return a boto3 client of the operator."""
        variables = self.environment()
        return boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        ).client(
            service, endpoint_url=variables["AWS_ENDPOINT_URL"], verify=variables["AWS_CA_BUNDLE"]
        )

    def program(
        self, *command: str, folder: Path = ROOT, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a client, such as the AWS CLI or the CDK CLI."""
        venv = Path(sys.executable).parent
        path = f"{venv}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **self.environment(), "PATH": path, "CDK_VALIDATION": "false"},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done

    def decisions(self) -> list[dict[str, Any]]:
        """Return what IAM decided so far."""
        lines = (self.state / "decisions.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = Cloud(tmp_path_factory.mktemp("cloud") / "state")
    started = running.command("up", "--port", "auto")
    assert started.returncode == 0, started.stderr
    yield running
    assert running.command("down").returncode == 0


@dataclass(frozen=True)
class SmallApp:
    """The deployed small app: its outputs."""

    cloud: Cloud
    outputs: dict[str, str]

    def run_workflow(self, models: list[str], rows: str = "7") -> dict[str, Any]:
        """Run the state machine to its end and return its description."""
        workflows = self.cloud.client("stepfunctions")
        started = workflows.start_execution(
            stateMachineArn=self.outputs["WorkflowArn"],
            input=json.dumps({"rows": rows, "models": models}),
        )
        return finished(workflows, started["executionArn"])


def finished(workflows: Any, arn: str, seconds: float = 240) -> dict[str, Any]:
    """Wait for an execution's end: the API offers no way to await it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        execution: dict[str, Any] = workflows.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.2)
    raise AssertionError(f"{arn} still runs after {seconds} s")


@pytest.fixture(scope="session")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Cloud], SmallApp]:
    def deploy_to(cloud: Cloud) -> SmallApp:
        folder = tmp_path_factory.mktemp("app") / "small"
        shutil.copytree(SMALL_APP, folder)
        cloud.program(str(CDK), "bootstrap", folder=folder)
        cloud.program(str(CDK), "deploy", "--require-approval", "never", folder=folder)
        stacks = cloud.client("cloudformation").describe_stacks(StackName="Small")["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
        return SmallApp(cloud, outputs)

    return deploy_to


@pytest.fixture(scope="session")
def small_app(cloud: Cloud, deploy: Callable[[Cloud], SmallApp]) -> SmallApp:
    return deploy(cloud)
