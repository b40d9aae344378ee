"""A small repository with the real pipeline: its jobs and specifications, few and quick tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline_code.build_pipeline.contract import DEPLOYED, TRAINED, record_key
from pipeline_code.build_pipeline.fingerprints import fingerprints

collect_ignore = [] if os.environ.get("FOURBLOCKS_PUSHES") == "all" else ["test_all_pushes.py"]
"""Pushes of the whole project take an hour: `make prove` asks for them."""
ROLLBACK_SECONDS = 1800
MAKEFILE = """REPORTS ?= build/reports
.PHONY: setup check unit infrastructure use-case
setup: ; python toolchain/install.py
check: ; .venv/bin/ruff check app.py
unit: ; .venv/bin/pytest -q tests/unit --cov=tests --cov-report=xml:$(REPORTS)/coverage/unit.xml \\
\t--junitxml=$(REPORTS)/unit.xml
infrastructure use-case: ; @true
"""
INSTALL = """from pathlib import Path
Path(".venv").symlink_to({prefix!r})
"""
LEFT_OUT = ("tests", "docs", "build", ".cache", ".localcloud", ".fourblocks", "node_modules")


@dataclass(frozen=True)
class Repository:
    """A clone whose pushes the platform's pipeline takes."""

    folder: Path
    platform: Any

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def push(self, message: str) -> str:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        commit = self._git("rev-parse", "HEAD").strip()
        self.platform.command("pipeline", "receive", str(self.folder / ".git"), commit)
        return commit

    def run(self) -> dict[str, Any]:
        """Describe the pipeline's latest execution."""
        name = self.platform.outputs("BuildPipeline")["PipelineName"]
        client = self.platform.client("codepipeline")
        return client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"][0]

    def stages(self) -> dict[str, str]:
        """By stage: what became of its latest execution."""
        name = self.platform.outputs("BuildPipeline")["PipelineName"]
        states = self.platform.client("codepipeline").get_pipeline_state(name=name)["stageStates"]
        latest = self.run()["pipelineExecutionId"]
        return {
            state["stageName"]: state["latestExecution"]["status"]
            for state in states
            if state.get("latestExecution", {}).get("pipelineExecutionId") == latest
        }

    def undo(self) -> None:
        """Have the files be what they were before the last push."""
        self._git("checkout", "--quiet", "HEAD~1", "--", ".")

    def settled(self) -> None:
        """Wait until nothing runs, a rollback neither."""
        deadline = time.monotonic() + ROLLBACK_SECONDS
        while self.run()["status"] in ("InProgress", "Stopping"):
            assert time.monotonic() < deadline
            self.platform.module("cli.main", "pipeline", "status", "--follow", check=False)

    def remember(self) -> None:
        """Tell the pipeline that the environment has what the repository holds now."""
        found = fingerprints(self.folder)
        bucket = self.platform.outputs("Foundation")["ArtefactBucketName"]
        for about, fingerprint in ((DEPLOYED, found["platform"]), (TRAINED, found["model"])):
            record = {"commit": "", "fingerprint": fingerprint, "execution_id": ""}
            self.platform.client("s3").put_object(
                Bucket=bucket,
                Key=record_key("local", about),
                Body=json.dumps({**record, "image_uri": "", "assets": []}).encode(),
            )

    def _git(self, *arguments: str) -> str:
        person = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        command = ["git", *person, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout


@pytest.fixture(scope="module")
def repository(bare_platform, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("repository") / "clone"
    shutil.copytree(
        bare_platform.project, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True
    )
    made = Repository(folder, bare_platform)
    made.write("Makefile", MAKEFILE)
    made.write("toolchain/install.py", INSTALL.format(prefix=sys.prefix))
    made.write("tests/unit/test_sum.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    made._git("init", "--quiet", "--initial-branch=main")
    made.remember()
    return made
