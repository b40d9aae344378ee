"""Which tests share a process when `make test` runs on two: those that share something costly."""

from __future__ import annotations

from pathlib import Path

import pytest

SUITES = (
    "tests/e2e/localcloud",
    "tests/e2e",
    "tests/integration/data_pipeline",
    "tests/infrastructure",
)
"""One embedded AWS, one platform, one Spark session, one synthesis; elsewhere a file is whole."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name the group of each test for ``pytest -n 2 --dist loadgroup``."""
    for item in items:
        path = item.path.relative_to(config.rootpath)
        item.add_marker(pytest.mark.xdist_group(_group(path)))


def _group(path: Path) -> str:
    return next((suite for suite in SUITES if path.is_relative_to(suite)), str(path))
