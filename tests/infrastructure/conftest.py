"""One synthesis per environment and session; every test reads what it left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache

import pytest

from stacks.config.environments import ENVIRONMENTS
from tests.infrastructure.synthesis import Synthesis, synthesise_into


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    @cache
    def run(environment: str) -> Synthesis:
        return synthesise_into(str(tmp_path_factory.mktemp(environment)), environment)

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
