"""One synthesis per environment and session; every test reads what it left."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

# The built-in validator would add three seconds; cdk-nag and cfn-lint have their own tests.
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")

from aws_cdk import App

from stacks.config.environments import ENVIRONMENTS
from stacks.stage import FourblocksStage

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCKS = ("Foundation", "DataPipeline", "Inference", "TrainingPipeline", "BuildPipeline")


@dataclass(frozen=True)
class Synthesis:
    """One environment's cloud assembly."""

    app: App
    folder: Path
    templates: dict[str, dict]

    def resources(self, block: str, kind: str) -> dict[str, dict]:
        """All resources of a type, by logical id."""
        found = self.templates[block]["Resources"]
        return {name: node for name, node in found.items() if node["Type"] == kind}

    def every(self, kind: str) -> list[tuple[str, str, dict]]:
        """All resources of a type in all blocks: block, logical id, resource."""
        return [
            (block, name, node)
            for block in self.templates
            for name, node in self.resources(block, kind).items()
        ]


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]

    @cache
    def run(environment: str) -> Synthesis:
        config = ENVIRONMENTS[environment]
        folder = tmp_path_factory.mktemp(environment)
        app = App(outdir=str(folder), context=context)
        FourblocksStage(app, config.stage_name, config=config)
        assembly = app.synth()
        templates = {
            block: assembly.get_stack_by_name(f"{config.stage_name}-{block}").template
            for block in BLOCKS
        }
        return Synthesis(app=app, folder=folder, templates=templates)

    return run


@pytest.fixture(scope="session")
def local(synthesise) -> Synthesis:
    return synthesise("local")


@pytest.fixture(scope="session")
def prod(synthesise) -> Synthesis:
    return synthesise("prod")


@pytest.fixture(scope="session")
def normalised() -> Callable[[object], object]:
    """Replace what changes with code or use case, so that a snapshot shows structure only."""
    digest = re.compile(r"[0-9a-f]{64}")

    def normalise(value: object) -> object:
        text = digest.sub("<digest>", json.dumps(value, sort_keys=True))
        for config in ENVIRONMENTS.values():
            for name in (config.use_case, config.use_case.replace("_", "-")):
                text = text.replace(name, "<use case>")
        return json.loads(text)

    return normalise
