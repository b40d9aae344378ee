"""The embedded AWS as the operator's command starts, stops and finds it."""

from __future__ import annotations

import shlex
import subprocess

from cli.errors import MachineError, NotThereError
from cli.git_remote import forget_remote, serve_remote
from cli.project import ROOT, python_module, run_streaming, tool_environment
from cli.screen import one_step


def embedded_environment() -> dict[str, str]:
    """Return the variables under which AWS clients reach the running embedded AWS.

    Raises:
        NotThereError: it does not run.

    """
    answer = subprocess.run(  # noqa: S603 - a fixed command of this project
        python_module("localcloud", "env"),
        cwd=ROOT,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip()
        message = f"The embedded AWS is not running. Run: fourblocks up\n{said}".strip()
        raise NotThereError(message)
    return exported(answer.stdout)


def exported(text: str) -> dict[str, str]:
    """Read `export NAME=value` lines of a shell."""
    variables: dict[str, str] = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        for word in words[1:] if words[:1] == ["export"] else []:
            name, _, value = word.partition("=")
            variables[name] = value
    return variables


def up() -> None:
    """Start the embedded AWS; one that runs already is left alone.

    Raises:
        MachineError: it did not start, for example because its port is taken.

    """
    with one_step("embedded AWS") as step:
        finished = run_streaming(
            python_module("localcloud", "up"), on_line=step.say, log_name="up.log"
        )
        if finished.returncode != 0:
            message = f"The embedded AWS did not start:\n{finished.output}"
            raise MachineError(message)
    serve_remote()


def down() -> None:
    """Stop the embedded AWS and every process that runs in it.

    Raises:
        MachineError: something of it is still running.

    """
    with one_step("stop the embedded AWS") as step:
        finished = run_streaming(
            python_module("localcloud", "down"), on_line=step.say, log_name="down.log"
        )
        if finished.returncode != 0:
            message = f"The embedded AWS did not stop:\n{finished.output}"
            raise MachineError(message)
    forget_remote()
