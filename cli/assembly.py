"""What would be deployed: an environment's configuration and its synthesised templates."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import RefusedError
from cli.project import ROOT, python_module, tool_environment

STACK = "aws:cloudformation:stack"
LIGHT = {"aws:cdk:bundling-stacks": [], "aws:cdk:disable-asset-staging": True}
"""Templates without the files that they name: nothing is bundled or copied."""


@dataclass(frozen=True)
class Assembly:
    """An environment as the app in one folder would deploy it."""

    config: dict[str, Any]
    templates: dict[str, dict[str, Any]]
    bootstrap_version: int
    """The least version of the bootstrap that the stacks ask for."""
    images: tuple[str, ...] = ()
    """Tags of the container images that a deployment needs in the bootstrap's registry."""

    @property
    def resources(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return every resource as block, logical id and declaration."""
        return [
            (block, name, node)
            for block, template in self.templates.items()
            for name, node in template["Resources"].items()
        ]


def read_config(environment: str, project: Path = ROOT) -> dict[str, Any]:
    """Read an environment's configuration.

    Raises:
        RefusedError: there is no such environment, or its configuration is wrong.

    """
    written = _run(project, python_module("stacks.config", environment))
    return dict(json.loads(written))


def synthesise(environment: str, project: Path = ROOT) -> Assembly:
    """Synthesise an environment without bundling, and read what came of it.

    Raises:
        RefusedError: the app of that folder does not synthesise.

    """
    config = read_config(environment, project)
    context = json.loads((project / "cdk.json").read_text(encoding="utf-8"))["context"]
    with tempfile.TemporaryDirectory(prefix="fourblocks-") as folder:
        variables = {
            "CDK_OUTDIR": folder,
            "CDK_CONTEXT_JSON": json.dumps({**context, **LIGHT, "environment": environment}),
            "HOME": str(ROOT / ".cache" / "home"),
        }
        _run(project, [sys.executable, "app.py"], variables)
        return read_assembly(Path(folder), config)


def read_assembly(folder: Path, config: dict[str, Any]) -> Assembly:
    """Read the templates of a cloud assembly, each under its block's name."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    stacks = [
        node["properties"] for node in manifest["artifacts"].values() if node["type"] == STACK
    ]
    templates = {
        each["stackName"].rpartition("-")[2]: json.loads(
            (folder / each["templateFile"]).read_text(encoding="utf-8")
        )
        for each in stacks
    }
    versions = [int(each.get("requiresBootstrapStackVersion", 0)) for each in stacks]
    return Assembly(config, templates, max(versions, default=0), _images(folder))


def _images(folder: Path) -> tuple[str, ...]:
    manifests = [json.loads(file.read_text("utf-8")) for file in folder.glob("*.assets.json")]
    tags = {
        destination["imageTag"]
        for manifest in manifests
        for image in manifest.get("dockerImages", {}).values()
        for destination in image["destinations"].values()
    }
    return tuple(sorted(tags))


def _run(project: Path, command: list[str], variables: dict[str, str] | None = None) -> str:
    finished = subprocess.run(  # noqa: S603 - fixed commands of this project
        command,
        cwd=project,
        env={**tool_environment(), "CDK_VALIDATION": "false", **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        tail = "\n".join(finished.stderr.strip().splitlines()[-12:])
        message = f"{' '.join(command[1:])} failed in {project}:\n{tail}"
        raise RefusedError(message)
    return finished.stdout
