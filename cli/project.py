"""The project's folder: where it is, what its processes find, and how the command starts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
ENVIRONMENT_FILE = ROOT / "toolchain" / "environment.mk"
TAIL_LINES = 40

_EXPORT = re.compile(r"^export (\w+) := (.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\((\w+)\)")


class Finished(NamedTuple):
    """How a child process ended."""

    returncode: int
    lines: list[str]
    seconds: float

    @property
    def output(self) -> str:
        """Return the last lines that it wrote, for an error message."""
        return "\n".join(self.lines[-TAIL_LINES:])


def tool_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the process environment that make gives, so that both start the same tools."""
    merged = dict(os.environ if environment is None else environment)
    for name, value in _EXPORT.findall(ENVIRONMENT_FILE.read_text(encoding="utf-8")):
        known = {**merged, "CURDIR": str(ROOT)}
        filled = _REFERENCE.sub(lambda match: known.get(match.group(1), ""), value)  # noqa: B023 - used at once
        already = name == "PATH" and filled.split(os.pathsep)[0] in merged.get("PATH", "")
        merged[name] = merged["PATH"] if already else filled
    Path(merged["TMPDIR"]).mkdir(parents=True, exist_ok=True)
    return merged


def run_streaming(
    command: list[str],
    *,
    on_line: Callable[[str], None],
    log_name: str,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Finished:
    """Run a tool; each line that it writes goes to `on_line` and to `.cache/<log_name>`.

    Raises:
        MachineError: the tool is not installed.

    """
    started = time.monotonic()
    lines: list[str] = []
    CACHE.mkdir(exist_ok=True)
    prepared = {**tool_environment(), **(environment or {})}
    try:
        process = subprocess.Popen(  # noqa: S603 - fixed commands of this project
            command,
            cwd=folder,
            env=prepared,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        message = f"{command[0]} is not installed. Run: make setup"
        raise MachineError(message) from error
    with process, (CACHE / log_name).open("w", encoding="utf-8") as log:
        for line in process.stdout or ():
            log.write(line)
            lines.append(line.rstrip())
            on_line(line.rstrip())
    return Finished(process.returncode, lines, time.monotonic() - started)


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the project's modules in this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def tool(name: str) -> str:
    """Return the path of a tool that set-up put beside this interpreter."""
    return str(Path(sys.executable).parent / name)
