"""The program that carries out a build's phases: one shell for all commands, as CodeBuild has it.

``python phase_runner.py SPECIFICATION.json`` runs as the build's process. What the commands print
goes to its output; a line that begins with the record separator is an event for the embedded AWS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

EVENT = "\x1e"
STATUS_DESCRIPTOR = 9
"""A shell as small as dash knows descriptors of one digit only."""
SUCCEEDING = "CODEBUILD_BUILD_SUCCEEDING"


class Shell:
    """A running shell that is given one command after the other."""

    def __init__(self, program: str, scratch: Path) -> None:
        self._scratch = scratch
        self._count = 0
        reading, writing = os.pipe()
        os.dup2(writing, STATUS_DESCRIPTOR)
        os.close(writing)
        self._process = subprocess.Popen(  # noqa: S603  the shell that the build asks for
            [program], stdin=subprocess.PIPE, pass_fds=(STATUS_DESCRIPTOR,)
        )
        os.close(STATUS_DESCRIPTOR)
        self._statuses = os.fdopen(reading)

    def run(self, command: str) -> int:
        """Run a command; an exit of the shell itself is the command's."""
        self._count += 1
        script = self._scratch / f"command-{self._count}.sh"
        script.write_text(f"{command}\n", encoding="utf-8")
        self._tell(f". '{script}' </dev/null\nprintf '%s\\n' \"$?\" >&{STATUS_DESCRIPTOR}\n")
        status = self._statuses.readline()
        return int(status) if status else self._process.wait()

    @property
    def alive(self) -> bool:
        """Tell whether the shell still takes commands."""
        return self._process.poll() is None

    def export(self, name: str, value: str) -> None:
        """Set a variable for the commands to come."""
        self._tell(f"export {name}='{value}'\n")

    def variables(self) -> dict[str, str]:
        """Read the variables that the commands have set."""
        target = self._scratch / "variables"
        if not self.alive or self.run(f"env -0 >'{target}'"):
            return {}
        pairs = target.read_text("utf-8", "replace").split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def _tell(self, words: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(words.encode())
            self._process.stdin.flush()


class Phases:
    """Runs phases in their order; a failed one decides what still runs."""

    def __init__(self, specification: dict[str, Any], scratch: Path) -> None:
        self._specification = specification
        self._scratch = scratch
        self._shell = self._new_shell()
        self.succeeding = True

    def run(self) -> None:
        """Run all phases, then tell the exported variables."""
        for phase in self._specification["phases"]:
            self._run(phase)
            if not self.succeeding and phase["on_failure"] == "ABORT":
                break
        known = self._shell.variables()
        exported = {n: known[n] for n in self._specification["exported"] if n in known}
        tell({"event": "exported", "variables": exported})

    def _run(self, phase: dict[str, Any]) -> None:
        tell({"event": "started", "phase": phase["name"]})
        said = "" if self._healthy() else "the shell ended in an earlier phase"
        failure = self._commands(phase["commands"])
        failure = self._commands(phase["finally_commands"], always=True) or failure
        if failure:
            self.succeeding = False
            if self._healthy():
                self._shell.export(SUCCEEDING, "0")
        state = "FAILED" if failure else "SUCCEEDED"
        log(f"Phase complete: {phase['name'].upper()} State: {state} {said}".rstrip())
        tell({"event": "ended", "phase": phase["name"], "failure": failure})

    def _commands(self, commands: list[str], *, always: bool = False) -> str:
        failure = ""
        for command in commands:
            self._healthy()
            log(f"Running command {command}")
            status = self._shell.run(command)
            if status:
                failure = f"Error while executing command: {command}. Reason: exit status {status}"
                log(failure)
                if not always:
                    break
        return failure

    def _healthy(self) -> bool:
        """Have a shell that takes commands; tell whether it is still the first one."""
        if self._shell.alive:
            return True
        self._shell = self._new_shell()
        self._shell.export(SUCCEEDING, "1" if self.succeeding else "0")
        return False

    def _new_shell(self) -> Shell:
        return Shell(self._specification["shell"], self._scratch)


def tell(event: dict[str, Any]) -> None:
    """Tell the embedded AWS what happened."""
    sys.stdout.write(f"{EVENT}{json.dumps({**event, 'at': time.time()})}\n")
    sys.stdout.flush()


def log(words: str) -> None:
    """Write a line of the build's own log."""
    sys.stdout.write(f"[Container] {time.strftime('%Y/%m/%d %H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main(path: Path) -> int:
    """Run the build that a specification describes."""
    phases = Phases(json.loads(path.read_text("utf-8")), path.parent)
    phases.run()
    return 0 if phases.succeeding else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
