"""One embedded AWS with the real stacks, deployed by the real CDK CLI for all end-to-end tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ROOT = Path(__file__).parents[2]
COMMAND_SECONDS = 900
LOWER_GATES = {
    "min_auc": 0.6,
    "max_log_loss": 0.6,
    "max_brier": 0.25,
    "max_ece": 0.1,
    "min_gain_chance": 0.0,
    "max_member_loss_auc": 0.5,
    "max_calibration_gap": 0.5,
    "without_source": "{}",
}


@dataclass(frozen=True)
class Platform:
    """The deployed application, reached only through public doors: the command, AWS APIs, HTTP."""

    project: Path
    environment: dict[str, str]

    @property
    def state(self) -> Path:
        """The folder in which the embedded AWS keeps everything."""
        return self.project / ".localcloud"

    def module(
        self, name: str, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the project's commands in the project's folder."""
        done = subprocess.run(
            [sys.executable, "-m", name, *arguments],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done

    def command(self, *arguments: str) -> str:
        """Run ``fourblocks`` as an operator would; give what it printed."""
        return self.module("cli.main", *arguments).stdout

    def refused(self, *arguments: str) -> str:
        """Run a command that must say no; give its words in one line."""
        done = self.module("cli.main", *arguments, check=False)
        assert done.returncode == 1, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return " ".join(done.stdout.split())

    def client(self, service: str) -> Any:
        """Return a boto3 client with the operator's keys."""
        return boto3.client(
            service,
            region_name=self.environment["AWS_DEFAULT_REGION"],
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            verify=self.environment["AWS_CA_BUNDLE"],
            # TestState would be asked of `sync-localhost`, which nothing answers.
            config=Config(inject_host_prefix=False),
        )

    def outputs(self, block: str) -> dict[str, str]:
        """Return the CloudFormation outputs of one block's stack."""
        name = f"Fourblocks-local-{block}"
        stacks = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {o["OutputKey"]: o["OutputValue"] for o in stacks[0].get("Outputs", [])}

    def http(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        signed: bool = True,
        content_type: str = "application/json",
    ) -> httpx.Response:
        """Send one request to the API, signed unless told otherwise."""
        outputs = self.outputs("Inference")
        url = (
            f"{self.environment['AWS_ENDPOINT_URL']}/restapis/{outputs['ApiId']}/"
            f"{outputs['ApiStage']}/_user_request_{path}"
        )
        request = AWSRequest(method, url, data=body, headers={"Content-Type": content_type})
        if signed:
            keys = Credentials(
                self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
            )
            SigV4Auth(keys, "execute-api", self.environment["AWS_DEFAULT_REGION"]).add_auth(request)
        return httpx.request(
            method,
            url,
            content=body,
            headers=dict(request.headers),
            verify=ssl.create_default_context(cafile=self.environment["AWS_CA_BUNDLE"]),
            timeout=60,
        )

    def predict(self, *instances: dict[str, Any]) -> httpx.Response:
        """Ask for predictions."""
        return self.http("POST", "/predictions", json.dumps({"instances": instances}).encode())

    def denials(self) -> list[dict[str, str]]:
        """Return every authorisation that was refused so far, oldest first."""
        lines = (self.state / "decisions.jsonl").read_text().splitlines()
        return [found for found in map(json.loads, lines) if found["decision"] != "Allow"]

    @contextmanager
    def without_grant(self, role_name_part: str, action: str) -> Iterator[None]:
        """Take one action out of every inline policy of a role, and give it back afterwards."""
        iam = self.client("iam")
        pages = iam.get_paginator("list_roles").paginate()
        names = [role["RoleName"] for page in pages for role in page["Roles"]]
        (role,) = (name for name in names if role_name_part in name)
        policies = {
            name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        }
        changed = {
            name: less for name, policy in policies.items() if (less := _less(policy, action))
        }
        assert changed, f"{role} has no grant of {action}"
        try:
            for name, policy in changed.items():
                iam.put_role_policy(
                    RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy)
                )
            yield
        finally:
            for name in changed:
                iam.put_role_policy(
                    RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policies[name])
                )


def _less(policy: dict[str, Any], action: str) -> dict[str, Any] | None:
    """Return the policy without an action, or None if it does not grant it."""
    found = False
    statements = []
    for statement in policy["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else list(actions)
        kept = [each for each in actions if each != action]
        found = found or len(kept) < len(actions)
        if kept:
            statements.append({**statement, "Action": kept})
    return {**policy, "Statement": statements} if found else None


def _copy_project(folder: Path) -> None:
    """Copy what git knows of the project: the tests must write nothing into it."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listing.split("\0")):
        source = ROOT / name
        if source.is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def _client_environment(project: Path) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "localcloud", "env", "--json"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=True,
    )
    own = json.loads(done.stdout)
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **own, "PYTHONPATH": str(project), "PATH": tools, "COLUMNS": "200"}


def _lower_gates(project: Path) -> None:
    """Let a model of a slice pass: change the one folder that a user changes."""
    members = project / "use_cases" / "flight_delays" / "members.yaml"
    text = members.read_text()
    for name, limit in LOWER_GATES.items():
        text, count = re.subn(rf"(?m)^(  {name}: ).*$", rf"\g<1>{limit}", text)
        assert count == 1, name
    text, count = re.subn(r"gate: \{min_auc: [\d.]+\}", "gate: {min_auc: 0.5}", text)
    assert count > 0
    members.write_text(text)


def _keep_records_longer(project: Path) -> None:
    """Hold the days of a slice online that a thousand of its entities need."""
    environments = project / "stacks" / "config" / "environments.py"
    text, count = re.subn(r"online_days=\d+", "online_days=9", environments.read_text())
    assert count == 1
    environments.write_text(text)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, as a user's clone would be, with gates for a slice of data."""
    folder = tmp_path_factory.mktemp("project")
    _copy_project(folder)
    _lower_gates(folder)
    _keep_records_longer(folder)
    return folder


@pytest.fixture(scope="session")
def embedded_aws(project: Path) -> Iterator[Platform]:
    """Start an embedded AWS in the project's copy; nothing is deployed to it yet."""
    manage = [sys.executable, "-m", "localcloud"]
    own = {**os.environ, "PYTHONPATH": str(project)}
    up = [*manage, "up", "--port", "auto"]
    subprocess.run(up, cwd=project, env=own, check=True, timeout=120)
    try:
        yield Platform(project, _client_environment(project))
    finally:
        subprocess.run([*manage, "down"], cwd=project, env=own, check=True, timeout=120)


@pytest.fixture(scope="session")
def bare_platform(embedded_aws: Platform) -> Platform:
    """Deploy the local environment to the embedded AWS."""
    embedded_aws.command("deploy")
    return embedded_aws
