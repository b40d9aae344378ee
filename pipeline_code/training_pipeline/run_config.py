"""The configuration that a job works by: its ``config`` channel, else the use case's own file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pipeline_code.training_pipeline.config_document import (
    load_ensemble_config,
    parse_ensemble_config,
)
from pipeline_code.training_pipeline.ensemble_config import DEFAULT_FILE, EnsembleConfig


class ConfigChannelError(RuntimeError):
    """The channel with the configuration does not hold exactly one file."""


def config_in(channel: Path) -> EnsembleConfig:
    """Read the one file of a ``config`` channel."""
    found = sorted(path for path in channel.rglob("*") if path.is_file())
    if len(found) != 1:
        names = [path.name for path in found]
        raise ConfigChannelError(f"{channel} must hold one configuration, but holds {names}")
    return load_ensemble_config(found[0])


def config_of_run(channel: Path, use_case: str) -> EnsembleConfig:
    """Read the channel when there is one, else the ``members.yaml`` of the image's use case."""
    if channel.is_dir():
        return config_in(channel)
    path = files(f"use_cases.{use_case}").joinpath(DEFAULT_FILE)
    return parse_ensemble_config(path.read_text(encoding="utf-8"))
