"""Which tests share a process when `make test` runs on two: those that share something costly."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SUITES = (
    "tests/e2e/localcloud",
    "tests/e2e",
    "tests/integration/data_pipeline",
    "tests/infrastructure",
)
"""One embedded AWS, one platform, one Spark session, one synthesis; elsewhere a file is whole."""


class SuiteScheduling(LoadScopeScheduling):
    """Gives a process a whole suite, or a whole file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        path = PurePosixPath(file)
        return next((suite for suite in SUITES if path.is_relative_to(suite)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SuiteScheduling:
    """Let ``pytest --numprocesses=2`` keep suites together."""
    return SuiteScheduling(config, log)
