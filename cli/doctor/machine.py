"""Checks of this machine: its tools and its disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cli.deployment import NEEDED_BYTES
from cli.doctor.findings import Finding, fault, well
from cli.project import ROOT, tool_environment

MINIMUM_NODE = 20
SUITABLE_JAVA = (17, 21)
SETUP = "Run: make setup"


@dataclass(frozen=True)
class Machine:
    """Where tools and free space are looked for."""

    folder: Path = ROOT
    path: str = field(default_factory=lambda: tool_environment()["PATH"])

    def free_bytes(self) -> int:
        """Return how much the disk has left."""
        return shutil.disk_usage(self.folder).free

    def which(self, name: str) -> str | None:
        """Find a tool."""
        return shutil.which(name, path=self.path)

    def version(self, name: str, option: str = "--version") -> int | None:
        """Return the first number of a tool's version; None where it is missing or broken."""
        found = self.which(name)
        if found is None:
            return None
        environment = {**os.environ, "PATH": self.path}
        try:
            said = subprocess.run(  # noqa: S603 - a tool of the project
                [found, option],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        number = re.search(r"(\d+)\.\d+", said.stdout + said.stderr)
        return int(number.group(1)) if number else None


def tools(machine: Machine, *, local: bool) -> list[Finding]:
    """Look for Node and the CDK CLI, and for Java where Spark runs on this machine."""
    faults = [*_node(machine), *_cdk(machine), *(_java(machine) if local else [])]
    return faults or well("tools", "Node, CDK CLI and Java" if local else "Node and CDK CLI")


def _node(machine: Machine) -> list[Finding]:
    node = machine.version("node")
    if node is not None and node >= MINIMUM_NODE:
        return []
    what = "Node is missing or does not run" if node is None else f"Node {node} is too old"
    return [fault("tools", f"{what}; the CDK needs {MINIMUM_NODE} or newer", SETUP)]


def _cdk(machine: Machine) -> list[Finding]:
    if machine.which("cdk") is not None:
        return []
    return [fault("tools", "the CDK CLI (cdk) is not installed", SETUP)]


def _java(machine: Machine) -> list[Finding]:
    java = machine.version("java", "-version")
    if java in SUITABLE_JAVA:
        return []
    what = "Java is missing or does not run" if java is None else f"Java {java} is not Spark's"
    return [fault("tools", f"{what}; Spark needs 17 or 21", SETUP)]


def disk(machine: Machine) -> list[Finding]:
    """Look whether a deployment fits on the disk."""
    free = machine.free_bytes()
    said = f"{free / 1024**3:.1f} GB free in {machine.folder}"
    if free >= NEEDED_BYTES:
        return well("disk", said)
    needed = f"a deployment needs {NEEDED_BYTES / 1024**3:.0f} GB"
    return [fault("disk", f"{said}; {needed}", "Free some space, for example with: make clean")]
