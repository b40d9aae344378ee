"""Checkpoints: models already fitted, kept where SageMaker saves them from an interruption.

Each is named by all that its bytes depend on, so a job that starts again takes what fits and
nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path


class Checkpoints:
    """Models of one dataset in a folder; without the folder nothing is kept."""

    def __init__(self, folder: Path, dataset_id: str) -> None:
        self._folder = folder
        self._dataset_id = dataset_id

    def model(self, facts: Mapping[str, object], fit: Callable[[], str]) -> str:
        """Take the model that these facts gave before, or fit it and keep it."""
        if not self._folder.is_dir():
            return fit()
        name = json.dumps({**facts, "dataset_id": self._dataset_id}, sort_keys=True)
        path = self._folder / f"model-{hashlib.sha256(name.encode()).hexdigest()[:32]}.txt"
        if path.is_file():
            return path.read_text(encoding="utf-8")
        text = fit()
        # Whole or not at all: an interruption may come while we write.
        unfinished = path.with_suffix(".part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(path)
        return text
