"""A build's commands share one shell; a failed one decides what still runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from localcloud.codebuild import phase_runner


@pytest.fixture
def build(tmp_path):
    """Run phases in a process of their own; give its exit code, its words and its events."""

    def run(*phases, exported=(), shell="sh"):
        specification = {"shell": shell, "exported": list(exported), "phases": list(phases)}
        path = tmp_path / "specification.json"
        path.write_text(json.dumps(specification))
        done = subprocess.run(
            [sys.executable, "-I", phase_runner.__file__, str(path)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "CODEBUILD_BUILD_SUCCEEDING": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        lines = done.stdout.split("\n")
        events = [json.loads(each[1:]) for each in lines if each.startswith(phase_runner.EVENT)]
        return done.returncode, done.stdout, events

    return run


def phase(name, *commands, last=(), on_failure="ABORT"):
    return {
        "name": name,
        "commands": list(commands),
        "finally_commands": list(last),
        "on_failure": on_failure,
    }


def ended(events):
    return [(each["phase"], bool(each["failure"])) for each in events if each["event"] == "ended"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_commands_share_variables_and_folder_across_phases(build, shell):
    code, words, events = build(
        phase("install", "mkdir deep", "cd deep", "export VERSION=7"),
        phase("build", 'echo "at $(basename "$PWD") with $VERSION"'),
        exported=["VERSION", "UNSET"],
        shell=shell,
    )

    assert code == 0
    assert "at deep with 7" in words
    assert ended(events) == [("install", False), ("build", False)]
    assert events[-1]["variables"] == {"VERSION": "7"}


def test_a_failed_command_ends_its_phase_and_names_itself(build):
    code, words, events = build(phase("install", "echo one", "false", "echo never"))

    assert code == 1
    assert "never" not in words.replace("Running command echo never", "")
    assert "Error while executing command: false. Reason: exit status 1" in words
    assert ended(events) == [("install", True)]


def test_the_finally_block_runs_whatever_happened(build):
    _, words, _ = build(phase("install", "false", last=["echo tidied"]))

    assert "tidied" in words


def test_after_a_failed_build_post_build_runs_and_knows_it(build):
    code, words, events = build(
        phase("build", "exit 3", on_failure="CONTINUE"),
        phase("post_build", 'echo "succeeding: $CODEBUILD_BUILD_SUCCEEDING"'),
    )

    assert code == 1
    assert "Reason: exit status 3" in words
    assert "succeeding: 0" in words
    assert ended(events) == [("build", True), ("post_build", False)]


def test_a_failed_install_runs_no_build(build):
    _, words, events = build(phase("install", "false"), phase("build", "echo built"))

    assert "built" not in words
    assert ended(events) == [("install", True)]


def test_a_command_that_reads_its_input_does_not_eat_the_next_one(build):
    code, words, _ = build(phase("build", "cat", "echo still here"))

    assert code == 0
    assert "\nstill here" in words


def test_a_command_may_span_lines(build):
    code, words, _ = build(phase("build", "if true\nthen\n  echo nested\nfi"))

    assert code == 0
    assert "\nnested" in words
