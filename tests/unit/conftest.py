"""A small ensemble, trained once a session by the real training job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures import tiny_dataset


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published dataset of the use case ``tiny``."""
    return tiny_dataset.write_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="session")
def tiny_jobs(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the jobs that trained an ensemble on it: ``identity``, ``sensor``, ``stack``."""
    return tiny_dataset.train(tiny_folder, tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="session")
def tiny_model(tiny_jobs: Path) -> Path:
    """The ensemble's artefact, unpacked."""
    return tiny_jobs / "stack" / "model"
