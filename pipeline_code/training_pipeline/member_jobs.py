"""What each member's training job asks of SageMaker, by its mode; functions plan jobs with it.

Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline_code.training_pipeline.algorithms import FIXED
from pipeline_code.training_pipeline.contract import (
    CODE_CHANNEL,
    CONFIG_CHANNEL,
    CSV_CONTENT_TYPE,
    DATASET_CHANNEL,
    HYPERPARAMETER_MEMBER,
    HYPERPARAMETER_PREFIX,
    HYPERPARAMETER_SEED,
    HYPERPARAMETER_TASK,
    HYPERPARAMETER_THREADS,
    HYPERPARAMETER_USE_CASE,
    PREPARATION_OUTPUT,
    PREPARED_MODES,
    SCRIPT_NAME,
    SOURCE_ARCHIVE_NAME,
    TASK_MEMBER,
    TRAIN_CHANNEL,
    VALIDATION_CHANNEL,
    MemberJob,
    ParameterRange,
)
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member

_OBJECTIVES = {
    "lightgbm": "auc",
    "sklearn": "validation_auc",
    "xgboost": "validation:auc",
    "linear-learner": "validation:roc_auc_score",
    "marketplace_algorithm": "validation:auc",
}
"""The metric that tuning maximises; built-in images report theirs under these names."""
_PRINTED = ("lightgbm", "sklearn")
"""Algorithms whose metrics SageMaker reads from lines ``name=value`` of our own log."""
_SEARCH_WORK = 1000
_CODE_FOLDER = f"/opt/ml/input/data/{CODE_CHANNEL}"


def member_jobs(config: EnsembleConfig, *, use_case: str, threads: int) -> list[MemberJob]:
    """Describe the jobs of all enabled members, the one with most work first.

    With fewer places than members, the longest must not be the one that waits.
    """
    return [
        member_job(config, member, use_case=use_case, threads=threads)
        for member in sorted(config.members, key=_work, reverse=True)
    ]


def _work(member: Member) -> float:
    """Estimate how long a member trains: a search longest, then trees by features."""
    trees = member.parameters.get("rounds", member.parameters.get("num_round", 1))
    return float(trees) * len(member.inputs) * (_SEARCH_WORK if member.search else 1)


def member_job(config: EnsembleConfig, member: Member, *, use_case: str, threads: int) -> MemberJob:
    """Describe one member's job."""
    name = member.algorithm.name
    own = member.algorithm.mode == "C"
    texts = (
        _own_hyperparameters(config, member, use_case, threads)
        if own
        else _texts(config, member, threads)
    )
    searched = {_tuned_name(name, key) for key in member.search}
    return {
        "name": member.name,
        "algorithm": name,
        "mode": member.algorithm.mode,
        "hyperparameters": {key: text for key, text in texts.items() if key not in searched},
        "channels": _channels(member),
        "content_type": CSV_CONTENT_TYPE if member.algorithm.mode in PREPARED_MODES else None,
        "arn": member.algorithm.arn or None,
        "artefact_uri": member.algorithm.uri or None,
        "artefact_sha256": member.algorithm.sha256 or None,
        "metric_definitions": _metric_definitions(name),
        "objective": {"Type": "Maximize", "MetricName": _OBJECTIVES[name]}
        if member.search
        else None,
        "parameter_ranges": parameter_ranges(name, member.search) if member.search else None,
        "resources": {**config.resources, **member.resources},
    }


def parameter_ranges(
    algorithm: str, search: Mapping[str, ParameterRange]
) -> dict[str, list[dict[str, object]]]:
    """Give the ``ParameterRanges`` of a tuning job; numbers are texts there."""
    ranges: dict[str, list[dict[str, object]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for key, found in search.items():
        name = _tuned_name(algorithm, key)
        if found["type"] == "categorical":
            ranges["CategoricalParameterRanges"].append({"Name": name, "Values": found["values"]})
            continue
        kind = "Integer" if found["type"] == "integer" else "Continuous"
        ends = [int(end) if kind == "Integer" else end for end in (found["min"], found["max"])]
        ranges[f"{kind}ParameterRanges"].append(
            {
                "Name": name,
                "MinValue": str(ends[0]),
                "MaxValue": str(ends[1]),
                "ScalingType": found.get("scaling", "Auto"),
            }
        )
    return ranges


def _tuned_name(algorithm: str, key: str) -> str:
    return f"{HYPERPARAMETER_PREFIX}{key}" if algorithm == "lightgbm" else key


def _own_hyperparameters(
    config: EnsembleConfig, member: Member, use_case: str, threads: int
) -> dict[str, str]:
    return {
        HYPERPARAMETER_TASK: TASK_MEMBER,
        HYPERPARAMETER_USE_CASE: use_case,
        HYPERPARAMETER_MEMBER: member.name,
        HYPERPARAMETER_SEED: str(config.seed),
        HYPERPARAMETER_THREADS: str(threads),
    }


def _texts(config: EnsembleConfig, member: Member, threads: int) -> dict[str, str]:
    """Give the hyper-parameters of somebody else's container."""
    name = member.algorithm.name
    # XGBoost takes all cores unless told otherwise: members beside each other would fight.
    own_threads = {"nthread": threads} if name == "xgboost" else {}
    values = {**own_threads, **member.parameters, **FIXED.get(name, {})}
    texts = {key: _text(value) for key, value in values.items()}
    if name in ("xgboost", "sklearn"):
        texts[HYPERPARAMETER_SEED] = str(config.seed)
    if name == "sklearn":
        archive = f"{_CODE_FOLDER}/{SOURCE_ARCHIVE_NAME}"
        # The framework container reads these as JSON, and hands the rest to the script.
        texts["sagemaker_program"] = json.dumps(SCRIPT_NAME)
        texts["sagemaker_submit_directory"] = json.dumps(archive)
    return texts


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _channels(member: Member) -> dict[str, str]:
    mode = member.algorithm.mode
    if mode == "C":
        return {DATASET_CHANNEL: DATASET_CHANNEL, CONFIG_CHANNEL: CONFIG_CHANNEL}
    if mode not in PREPARED_MODES:
        return {}
    folder = f"{PREPARATION_OUTPUT}/{member.name}"
    names = [TRAIN_CHANNEL, VALIDATION_CHANNEL, *([CODE_CHANNEL] if mode == "B" else [])]
    return {name: f"{folder}/{name}" for name in names}


def _metric_definitions(algorithm: str) -> list[dict[str, str]]:
    if algorithm not in _PRINTED:
        return []
    name = _OBJECTIVES[algorithm]
    return [{"Name": name, "Regex": rf"\b{name}=([0-9.]+)"}]
