"""A container's `/opt/ml` for the built-in algorithms, run in this process."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from localcloud.sagemaker.algorithms.container import Container


class Opt:
    """Fills `/opt/ml` as SageMaker does."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.environment: dict[str, str] = {}
        self.channels: dict[str, dict[str, str]] = {}
        for folder in ("input/config", "input/data", "model", "output/data"):
            (base / folder).mkdir(parents=True)

    def configure(self, name: str, document: dict[str, object]) -> None:
        (self.base / "input/config" / f"{name}.json").write_text(json.dumps(document))

    def channel(self, name: str, content: bytes, content_type: str = "text/csv") -> None:
        folder = self.base / "input/data" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "part-0").write_bytes(content)
        self.channels[name] = {"ContentType": content_type}
        self.configure("inputdataconfig", self.channels)

    def train(self, algorithm: str, **hyperparameters: str) -> None:
        self.configure("hyperparameters", hyperparameters)
        container = Container(self.base, self.environment)
        importlib.import_module(f"localcloud.sagemaker.algorithms.{algorithm}.train").main(
            container
        )


@pytest.fixture
def opt(tmp_path):
    return Opt(tmp_path / "ml")


@pytest.fixture(scope="session")
def rows():
    """Return 600 rows: a 0/1 label that three features explain, in their own units."""
    random = np.random.default_rng(7)
    features = random.normal(size=(600, 3)) * [1, 100, 0.01] + [0, 50, 3]
    signal = (features - [0, 50, 3]) / [1, 100, 0.01] @ [1.5, -1.0, 0.5]
    labels = (signal + random.logistic(size=600) > 0).astype(int)
    return np.column_stack([labels, features])


@pytest.fixture(scope="session")
def csv():
    def write(table):
        return "\n".join(",".join(f"{value!r}" for value in row) for row in table.tolist()).encode()

    return write
