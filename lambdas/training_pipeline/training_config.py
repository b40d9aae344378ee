"""The part of the training configuration that the functions read, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from lambdas.common.errors import DocumentedError
from pipeline_code.training_pipeline.contract import Gate

_REQUIRED = (
    "min_auc",
    "max_log_loss",
    "max_brier",
    "max_ece",
    "min_gain_log_loss",
    "max_slice_loss_log_loss",
    "max_model_size_bytes",
    "max_latency_ms_p50",
)


class TrainingConfigError(DocumentedError):
    """The training configuration's field {field} is {value!r}, but must be {allowed}."""


def member_names(config: Mapping[str, Any]) -> list[str]:
    """Give the names of the ensemble's members, in their order."""
    members = config.get("members")
    if not isinstance(members, list) or not members:
        raise TrainingConfigError(field="members", value=members, allowed="a list of members")
    names = [_name(member) for member in members]
    if len(set(names)) != len(names):
        raise TrainingConfigError(field="members", value=names, allowed="named differently")
    return names


def seed(config: Mapping[str, Any]) -> int:
    """Give the seed of all randomness of a training."""
    value = config.get("seed")
    if not isinstance(value, int) or isinstance(value, bool):
        raise TrainingConfigError(field="seed", value=value, allowed="a whole number")
    return value


def gate(config: Mapping[str, Any]) -> Gate:
    """Give the limits that a challenger must keep."""
    values = config.get("gates")
    if not isinstance(values, dict):
        raise TrainingConfigError(field="gates", value=values, allowed="a mapping of limits")
    for name in _REQUIRED:
        value = values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TrainingConfigError(field=f"gates.{name}", value=value, allowed="a number")
    return cast(Gate, values)


def _name(member: object) -> str:
    name = member.get("name") if isinstance(member, dict) else None
    if not isinstance(name, str) or not name:
        raise TrainingConfigError(field="members[].name", value=name, allowed="a text")
    return name
