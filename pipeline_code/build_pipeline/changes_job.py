"""Finds out what a push changed, and says it as lines of a shell: `NAME=value`.

``python -m pipeline_code.build_pipeline.changes_job commit`` says which commit this is;
``changes ASSEMBLY`` compares with what each environment was given last.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import boto3

from pipeline_code.build_pipeline.assemblies import template_digest
from pipeline_code.build_pipeline.contract import (
    DEPLOYED,
    PIPELINE,
    TRAINED,
    Fingerprints,
    Variable,
    of_environment,
)
from pipeline_code.build_pipeline.fingerprints import fingerprints
from pipeline_code.build_pipeline.records import ReleaseRecords

COMMIT_FILE = Path("toolchain") / "commit.txt"
"""`git archive` writes the commit into it, see .gitattributes."""
UNKNOWN = "unknown"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def commit_of(root: Path, environment: Mapping[str, str]) -> str:
    """Name the commit: as the source says it, or as `git archive` wrote it down."""
    for text in (
        environment.get("CODEBUILD_RESOLVED_SOURCE_VERSION", ""),
        (root / COMMIT_FILE).read_text("utf-8").strip(),
    ):
        if _COMMIT.fullmatch(text):
            return text
    return UNKNOWN


def changes(
    found: Fingerprints, pipeline: str, environments: Sequence[str], records: ReleaseRecords
) -> Iterator[tuple[str, bool]]:
    """Say of every environment whether it is to be deployed, and trained; then of the pipeline."""
    deploys = False
    for environment in environments:
        stale = _differs(records, environment, DEPLOYED, found["platform"])
        untrained = _differs(records, environment, TRAINED, found["model"])
        deploys = deploys or stale or untrained
        yield of_environment(Variable.DEPLOYS, environment), stale or untrained
        yield of_environment(Variable.TRAINS, environment), untrained
    yield Variable.DEPLOYS, deploys
    yield (
        Variable.UPDATES_PIPELINE,
        _differs(records, environments[0], PIPELINE, pipeline),
    )


def _differs(records: ReleaseRecords, environment: str, about: str, fingerprint: str) -> bool:
    known = records.read(environment, about)
    return known is None or known["fingerprint"] != fingerprint


def main(arguments: Sequence[str]) -> int:
    """Print what is asked for."""
    root = Path.cwd()
    if arguments == ["commit"]:
        sys.stdout.write(f"{commit_of(root, os.environ)}\n")
        return 0
    (_, assembly) = arguments
    environments = os.environ[Variable.ENVIRONMENTS].split()
    records = ReleaseRecords(boto3.client("s3"), os.environ[Variable.ARTEFACT_BUCKET])
    stack = f"Fourblocks-{environments[0]}-BuildPipeline"
    pipeline = template_digest(Path(assembly), stack)
    for name, is_changed in changes(fingerprints(root), pipeline, environments, records):
        sys.stdout.write(f"{name}={str(is_changed).lower()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
