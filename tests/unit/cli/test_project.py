"""Child processes find the project's tools and keep to the project's folder."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cli.errors import MachineError
from cli.project import ROOT, run_streaming, tool_environment

CACHES = (
    "TMPDIR",
    "PIP_CACHE_DIR",
    "npm_config_cache",
    "CDK_HOME",
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT",
    "SPARK_LOCAL_DIRS",
)


@pytest.mark.parametrize("name", CACHES)
def test_every_cache_and_temporary_folder_lies_in_the_project(name):
    assert tool_environment({"PATH": "/bin"})[name].startswith(f"{ROOT}{os.sep}.cache")


def test_the_projects_tools_come_first_on_the_path():
    assert tool_environment({"PATH": "/bin"})["PATH"] == f"{ROOT}/.venv/bin:/bin"


def test_the_path_does_not_grow_from_process_to_process():
    once = tool_environment({"PATH": "/bin"})

    assert tool_environment(once)["PATH"] == once["PATH"]


def test_make_gives_the_same_environment_as_the_command():
    script = "include toolchain/environment.mk\nshow:\n\t@echo '$(CDK_HOME) $(TMPDIR)'\n"
    said = subprocess.run(
        ["make", "--no-print-directory", "-f", "-", "show"],
        input=script, cwd=ROOT, text=True, capture_output=True, check=True,
    ).stdout.split()  # fmt: skip
    ours = tool_environment({"PATH": "/bin"})

    assert said == [ours["CDK_HOME"], ours["TMPDIR"]]


def test_a_tool_is_told_line_by_line_and_its_end_is_known():
    lines = []
    program = "print('one'); print('two'); raise SystemExit(3)"

    finished = run_streaming(
        [sys.executable, "-c", program], on_line=lines.append, log_name="t.log"
    )

    assert lines == ["one", "two"]
    assert (finished.returncode, finished.output) == (3, "one\ntwo")


def test_a_tool_that_is_missing_is_told_with_the_command_that_installs_it():
    with pytest.raises(MachineError, match="no-such-tool is not installed"):
        run_streaming(["no-such-tool"], on_line=print, log_name="t.log")
