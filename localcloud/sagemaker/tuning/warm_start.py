"""What a tuning job may take over from earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.job_operations import RUNNING
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.tuning.request import OBJECTIVE_PARAMETER

IDENTICAL = "IdenticalDataAndAlgorithm"


def parents_of(request: Document, find: Callable[[str], Document]) -> list[Document]:
    """Find the parents of a warm start; each must fit the request."""
    config = request.get("WarmStartConfig")
    if not config:
        return []
    names = [
        each["HyperParameterTuningJobName"] for each in config["ParentHyperParameterTuningJobs"]
    ]
    parents = [find(name) for name in names]
    for parent in parents:
        _check(request, parent, identical=config["WarmStartType"] == IDENTICAL)
    return parents


def _check(request: Document, parent: Document, *, identical: bool) -> None:
    name = parent["HyperParameterTuningJobName"]
    if parent["HyperParameterTuningJobStatus"] in RUNNING:
        raise invalid(f"Parent tuning job {name} must have ended.")
    if _objective(request) != _objective(parent):
        raise invalid(f"Parent tuning job {name} has another objective metric.")
    if _names(request) != _names(parent):
        raise invalid(
            f"Parent tuning job {name} has other hyperparameters: the tuned and static ones "
            "together must be the same."
        )
    for member in ("AlgorithmSpecification", "InputDataConfig") if identical else ():
        if _compared(request, member) != _compared(parent, member):
            raise invalid(f"Parent tuning job {name} has another {member}; use TransferLearning.")


def _objective(job: Document) -> Any:
    return job["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")


def _names(job: Document) -> set[str]:
    ranges = job["HyperParameterTuningJobConfig"].get("ParameterRanges", {})
    tuned = {each["Name"] for kind in ranges.values() for each in kind}
    fixed = set(job["TrainingJobDefinition"].get("StaticHyperParameters", {}))
    return (tuned | fixed) - {OBJECTIVE_PARAMETER}


def _compared(job: Document, member: str) -> Any:
    found = job["TrainingJobDefinition"].get(member)
    if member == "AlgorithmSpecification":
        return found.get("TrainingImage")
    channels: Sequence[Document] = found or []
    return sorted((c["ChannelName"], str(c["DataSource"])) for c in channels)
