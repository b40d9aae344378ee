"""Synthesises an environment as the CLI does, and finds things in the result."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

# The built-in validator would add three seconds; cdk-nag and cfn-lint have their own tests.
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")

from aws_cdk import App

from stacks.config.environments import ENVIRONMENTS
from stacks.stage import FourblocksStage

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCKS = ("Foundation", "DataPipeline", "Inference", "TrainingPipeline", "BuildPipeline")


def blocks_of(environment: str) -> tuple[str, ...]:
    """The stacks of an environment: one without a pipeline is released by another one's."""
    if ENVIRONMENTS[environment].build is None:
        return BLOCKS[:-1]
    return BLOCKS


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


def synthesise_into(folder: str, environment: str) -> Synthesis:
    """Synthesise an environment as the CLI does, with the context of cdk.json."""
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    config = ENVIRONMENTS[environment]
    app = App(outdir=folder, context=context)
    FourblocksStage(app, config.stage_name, config=config)
    assembly = app.synth()
    templates = {
        block: assembly.get_stack_by_name(f"{config.stage_name}-{block}").template
        for block in blocks_of(environment)
    }
    return Synthesis(app=app, folder=Path(folder), templates=templates)
