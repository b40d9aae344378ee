"""Checkpoints of the XGBoost container: one a round, the last five kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xgboost

NAME = "xgboost-checkpoint"
KEPT = 5


def latest_checkpoint(folder: Path | None) -> tuple[Path | None, int]:
    """Find the newest readable checkpoint and the number of rounds that it holds."""
    found = folder.glob(f"{NAME}.*") if folder else []
    numbered = {int(f.suffix[1:]): f for f in found if f.suffix[1:].isdigit()}
    for number in sorted(numbered, reverse=True):
        try:
            xgboost.Booster(model_file=bytearray(numbered[number].read_bytes()))
        except xgboost.core.XGBoostError:  # cut off while it was uploaded: the one before is good
            continue
        return numbered[number], number + 1
    return None, 0


class Checkpoints(xgboost.callback.TrainingCallback):
    """Saves the model after every round."""

    def __init__(self, folder: Path, done: int) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Save one checkpoint, drop the sixth last."""
        number = self._done + epoch
        save(model, self._folder / f"{NAME}.{number}")
        (self._folder / f"{NAME}.{number - KEPT}").unlink(missing_ok=True)
        return False


class SavedModel(xgboost.callback.TrainingCallback):
    """Keeps the model's file up to date, so that a training cut short leaves one."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Save the model."""
        save(model, self._file)
        return False


def save(model: Any, file: Path) -> None:
    """Write a model's file as a whole or not at all."""
    partial = file.with_name(f".{file.name.replace('.', '-')}.ubj")
    model.save_model(partial)
    partial.replace(file)
