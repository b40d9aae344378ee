"""One embedded AWS for the job tests, an image in its registry, and roles that can do little."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[4]
HERE = Path(__file__).parent
ACCOUNT = "000000000000"


def localcloud(state: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "localcloud", *arguments, "--state", str(state)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Cloud:
    state: Path
    environment: dict[str, str]
    image: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    clients: dict[Any, Any] = field(default_factory=dict)

    def name(self, prefix: str) -> str:
        return f"{prefix}-{next(self.numbers)}"

    def session(self, credentials: dict[str, str] | None = None) -> boto3.Session:
        given = credentials or {
            "AccessKeyId": self.environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": self.environment["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.Session(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            given.get("SessionToken"),
            self.environment["AWS_DEFAULT_REGION"],
        )

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        key = (service, (credentials or {}).get("AccessKeyId"))
        if key not in self.clients:
            self.clients[key] = self._new_client(service, credentials)
        return self.clients[key]

    def _new_client(self, service: str, credentials: dict[str, str] | None) -> Any:
        return self.session(credentials).client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            verify=self.environment["AWS_CA_BUNDLE"],
            config=Config(retries={"max_attempts": 1}),
        )

    def bucket(self) -> str:
        name = self.name("jobs-bucket")
        self.client("s3").create_bucket(Bucket=name)
        return name

    def role(self, service: str, *statements: dict[str, Any]) -> str:
        iam, name = self.client("iam"), self.name("JobRole")
        principal = {"Service": service} if "." in service else {"AWS": service}
        trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
        answer = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trust))
        iam.put_role_policy(
            RoleName=name, PolicyName="grants", PolicyDocument=document(*statements, LOGS)
        )
        return answer["Role"]["Arn"]

    def assume(self, *statements: dict[str, Any]) -> dict[str, str]:
        role = self.role(f"arn:aws:iam::{ACCOUNT}:root", *statements)
        sts = self.client("sts")
        return sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]

    def log(self, group: str, prefix: str = "") -> str:
        logs = self.client("logs")
        chosen = {"logStreamNamePrefix": prefix} if prefix else {}
        streams = logs.describe_log_streams(logGroupName=group, **chosen)
        lines = []
        for stream in streams["logStreams"]:
            name = stream["logStreamName"]
            events = logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
            lines += [event["message"] for event in events]
        return "\n".join(lines)


LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources) or "*"}


def bucket_rights(*names: str) -> list[dict[str, Any]]:
    arns = [f"arn:aws:s3:::{name}" for name in names]
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [allow("s3:ListBucket", *arns), allow(objects, *[f"{arn}/*" for arn in arns])]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    state = tmp_path_factory.mktemp("embedded") / "state"
    localcloud(state, "up", "--port", "auto")
    try:
        environment = json.loads(localcloud(state, "env", "--json"))
        started = Cloud(state, {**os.environ, **environment})
        started.image = push_image(started)
        yield started
    finally:
        localcloud(state, "down")


def push_image(cloud: Cloud) -> str:
    cloud.client("ecr").create_repository(repositoryName="model")
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"
    docker = cloud.environment["CDK_DOCKER"]
    for arguments in (["build", "--tag", image, str(HERE / "model_image")], ["push", image]):
        done = subprocess.run(
            [docker, *arguments], env=cloud.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return image


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    def wait(describe: Callable[[], Any], ended: Callable[[Any], bool], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not ended(state := describe()):
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        return state

    return wait
