"""What a push means: digests of a source tree's parts, by what a change of them asks for.

Digests, not differences: no history is needed, whatever the source is, and pushes that failed
or were superseded are not forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline_code.build_pipeline.contract import Fingerprints

CHECKED_ONLY = (
    "docs/",
    "tests/",
    "bench/",
    "cli/",
    "localcloud/",
    "toolchain/",
    "pipeline_code/build_pipeline/",
    ".github/",
    ".ci/",
    "Makefile",
    "LICENSE",
    "pyproject.toml",
    "requirements/",
    ".git",
)
"""What no environment holds: a change of it is checked, and nothing is deployed."""
NEVER = (".venv/", ".cache/", "node_modules/", "build/", "cdk.out/", ".hypothesis/")
"""What a build makes beside its source."""
MODEL = ("pipeline_code/", "use_cases/", "requirements/container.txt", "constraints.txt")
"""What jobs and images are made of."""
PAGES = (".md", ".ipynb")


def fingerprints(root: Path) -> Fingerprints:
    """Digest a source tree's parts."""
    deployed = [path for path in _files(root) if is_deployed(path)]
    return {
        "platform": _digest(root, deployed),
        "model": _digest(root, [path for path in deployed if path.startswith(MODEL)]),
    }


def is_deployed(path: str) -> bool:
    """Tell whether a file reaches an environment; one that is not known to stay away does."""
    if path in MODEL:
        return True
    return not path.startswith(CHECKED_ONLY) and not path.endswith(PAGES)


def _files(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(NEVER) and "__pycache__" not in name:
            yield name


def _digest(root: Path, names: list[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()
