"""One embedded AWS for all these tests, on a free port, and a small CDK app deployed to it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[3]
SMALL_APP = Path(__file__).with_name("small_app")
CDK = ROOT / "node_modules" / ".bin" / "cdk"
COMMAND_SECONDS = 300
ACCOUNT = "000000000000"
LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], *resources: str) -> dict[str, Any]:
    """Return a statement that allows actions on resources, or on all."""
    return {"Effect": "Allow", "Action": action, "Resource": list(resources) or "*"}


def bucket_rights(*names: str) -> list[dict[str, Any]]:
    """Return statements that allow a job what it does with buckets."""
    arns = [f"arn:aws:s3:::{name}" for name in names]
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [allow("s3:ListBucket", *arns), allow(objects, *[f"{arn}/*" for arn in arns])]


@dataclass
class Cloud:
    """An embedded AWS, driven through its command line and the AWS clients only."""

    state: Path
    image: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    clients: dict[Any, Any] = field(default_factory=dict)

    def command(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run `python -m localcloud`."""
        done = subprocess.run(
            [sys.executable, "-m", "localcloud", *arguments, "--state", str(self.state)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    @cached_property
    def environment(self) -> dict[str, str]:
        """Return the variables that `env` gives to every client."""
        variables: dict[str, str] = json.loads(self.command("env", "--json", check=True).stdout)
        return variables

    def client_variables(self) -> dict[str, str]:
        """Return the whole environment of a client's process."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **self.environment, "PATH": path, "CDK_VALIDATION": "false"}

    def program(
        self, *command: str, folder: Path = ROOT, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a client, such as the AWS CLI or the CDK CLI."""
        done = subprocess.run(
            command,
            cwd=folder,
            env={**self.client_variables(), **variables},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done

    def decisions(self) -> list[dict[str, Any]]:
        """Return what IAM decided so far."""
        lines = (self.state / "decisions.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def name(self, prefix: str) -> str:
        """Return a name that nothing else has."""
        return f"{prefix}-{next(self.numbers)}"

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """Return a boto3 client, of the operator unless credentials are given."""
        key = (service, (credentials or {}).get("AccessKeyId"))
        if key not in self.clients:
            self.clients[key] = self._new_client(service, credentials)
        return self.clients[key]

    def _new_client(self, service: str, credentials: dict[str, str] | None) -> Any:
        given = credentials or {
            "AccessKeyId": self.environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": self.environment["AWS_SECRET_ACCESS_KEY"],
        }
        session = boto3.Session(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            given.get("SessionToken"),
            self.environment["AWS_REGION"],
        )
        return session.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            verify=self.environment["AWS_CA_BUNDLE"],
            # TestState would be asked of `sync-localhost`, which nothing answers.
            config=Config(retries={"max_attempts": 1}, inject_host_prefix=False),
        )

    def bucket(self) -> str:
        """Create a bucket."""
        name = self.name("jobs-bucket")
        self.client("s3").create_bucket(Bucket=name)
        return name

    def role(self, service: str, *statements: dict[str, Any]) -> str:
        """Create a role that a service, or a principal named by its ARN, may assume."""
        iam, name = self.client("iam"), self.name("JobRole")
        principal = {"Service": service} if "." in service else {"AWS": service}
        trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
        answer = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trust))
        iam.put_role_policy(
            RoleName=name, PolicyName="grants", PolicyDocument=document(*statements, LOGS)
        )
        return answer["Role"]["Arn"]

    def assume(self, *statements: dict[str, Any]) -> dict[str, str]:
        """Return credentials of a role that may do what the statements say."""
        role = self.role(f"arn:aws:iam::{ACCOUNT}:root", *statements)
        sts = self.client("sts")
        return sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]

    def log(self, group: str, prefix: str = "") -> str:
        """Return the lines of a log group's streams."""
        logs = self.client("logs")
        chosen = {"logStreamNamePrefix": prefix} if prefix else {}
        streams = logs.describe_log_streams(logGroupName=group, **chosen)
        lines = []
        for stream in streams["logStreams"]:
            name = stream["logStreamName"]
            events = logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
            lines += [event["message"] for event in events]
        return "\n".join(lines)

    def finished(self, execution_arn: str) -> dict[str, Any]:
        """Wait for an execution's end and describe it."""
        workflows = self.client("stepfunctions")
        return eventually(
            lambda: workflows.describe_execution(executionArn=execution_arn),
            lambda execution: execution["status"] != "RUNNING",
            240,
        )


def eventually(look: Callable[[], Any], good: Callable[[Any], bool] = bool, seconds: float = 60):
    """Look until what is seen is good: the AWS APIs cannot be awaited."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {seen}"
        time.sleep(0.05)
    return seen


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = Cloud(tmp_path_factory.mktemp("cloud") / "state")
    running.command("up", "--port", "auto", check=True)
    yield running
    running.command("down", check=True)


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    return eventually


@dataclass(frozen=True)
class SmallApp:
    """The deployed small app: its outputs, and the folder with its assembly."""

    cloud: Cloud
    folder: Path
    outputs: dict[str, str]

    def start_workflow(self, **given: Any) -> str:
        """Start the state machine; return the execution's ARN."""
        workflows = self.cloud.client("stepfunctions")
        started = workflows.start_execution(
            stateMachineArn=self.outputs["WorkflowArn"], input=json.dumps(given)
        )
        return str(started["executionArn"])

    def run_workflow(self, **given: Any) -> dict[str, Any]:
        """Run the state machine to its end and return its description."""
        return self.cloud.finished(self.start_workflow(**given))


@pytest.fixture(scope="session")
def small_app(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> SmallApp:
    folder = tmp_path_factory.mktemp("app") / "small"
    shutil.copytree(SMALL_APP, folder)
    cloud.program(str(CDK), "bootstrap", folder=folder)
    cloud.program(str(CDK), "deploy", "--require-approval", "never", folder=folder)
    stacks = cloud.client("cloudformation").describe_stacks(StackName="Small")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    return SmallApp(cloud, folder, outputs)
