"""Hyper-parameters of a job that replace the seed and parameters of the configuration."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from pipeline_code.job_folders import HyperparameterError
from pipeline_code.training_pipeline.algorithms import MIN_ROUNDS, ROUNDS
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member


def with_overrides(
    config: EnsembleConfig, seed: int, hyperparameters: Mapping[str, str], *, prefix: str
) -> EnsembleConfig:
    """Apply ``<prefix><name>`` = JSON value to every member of the job's configuration."""
    values = {
        name.removeprefix(prefix): _value(name, text)
        for name, text in hyperparameters.items()
        if name.startswith(prefix)
    }
    rounds = values.get(ROUNDS, MIN_ROUNDS)
    if not isinstance(rounds, int) or rounds < MIN_ROUNDS:
        raise HyperparameterError(f"override of {ROUNDS} is {rounds!r}, but must be at least 1")
    members = tuple(_override(member, values) for member in config.members)
    return dataclasses.replace(config, seed=seed, members=members)


def _override(member: Member, values: Mapping[str, object]) -> Member:
    return dataclasses.replace(member, parameters={**member.parameters, **values})


def _value(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise HyperparameterError(
            f"the hyper-parameter {name!r} is {text!r}, but must be a JSON value"
        ) from error
