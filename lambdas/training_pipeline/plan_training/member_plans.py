"""How each member of a configuration gets its model, as the requests that SageMaker takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.digests import digest_of
from lambdas.common.errors import DocumentedError
from lambdas.training_pipeline.contract import (
    MemberAction,
    MemberPlan,
    TrainingRequest,
    TuningRequest,
)
from lambdas.training_pipeline.plan_training.job_inputs import training_channel
from pipeline_code.training_pipeline.contract import (
    CHECKPOINT_FOLDER,
    CONFIG_CHANNEL,
    DATASET_CHANNEL,
    PREPARATION_OUTPUT,
    MemberJob,
    TuningSettings,
)

QUEUE_SECONDS = 1800
"""With spot instances: how much longer than its budget a job may wait when nothing else is said."""


class MarketplaceModelError(DocumentedError):
    """Member {member}: the model package {arn} leaves no artefact that an ensemble could hold."""


@dataclass(frozen=True)
class Sizes:
    """What a job has when its configuration says nothing."""

    instance_type: str
    volume_gb: int
    job_timeout_seconds: int


@dataclass(frozen=True)
class Places:
    """Where a training reads and writes."""

    dataset_uri: str
    config_uri: str
    prepared_uri: str
    output_uri: str


def images_of(own: str, algorithms: Mapping[str, str]) -> Mapping[str, str]:
    """Give the image of each algorithm that runs in one."""
    return {**algorithms, "lightgbm": own}


def cache_key(
    job: MemberJob, document: Mapping[str, Any], dataset_id: str, images: Mapping[str, str]
) -> str:
    """Digest all that a member's artefact depends on, and nothing else."""
    shared = ("seed", "split", "categorical", "out_of_fold", "tuning", "additive")
    (member,) = (one for one in document["members"] if one["name"] == job["name"])
    own = {name: value for name, value in member.items() if name not in ("gate", "resources")}
    return digest_of(
        {
            "dataset": dataset_id,
            "member": own,
            "shared": {name: document[name] for name in shared if name in document},
            "together": _inputs_of_all(document) if "additive" in document else [],
            "image": images.get(job["algorithm"], job["arn"]),
            "code": images["lightgbm"],
            "hyperparameters": {
                name: text for name, text in job["hyperparameters"].items() if name != "threads"
            },
        }
    )


def _inputs_of_all(document: Mapping[str, Any]) -> list[object]:
    """Give what all enabled members read: in an additive model they depend on each other."""
    return [
        [member["name"], member["features"], member.get("context", [])]
        for member in document["members"]
        if member.get("enabled", True)
    ]


def training_request(
    job: MemberJob, images: Mapping[str, str], places: Places, sizes: Sizes
) -> TrainingRequest:
    """Build what differs from one member's job to the next."""
    resources = job["resources"]
    seconds = min(
        resources.get("budget_seconds", sizes.job_timeout_seconds), sizes.job_timeout_seconds
    )
    stopping = {"MaxRuntimeInSeconds": seconds}
    spot = resources.get("spot", False)
    if spot:
        stopping["MaxWaitTimeInSeconds"] = max(
            seconds, resources.get("max_wait_seconds", seconds + QUEUE_SECONDS)
        )
    return {
        "AlgorithmSpecification": _algorithm(job, images),
        "HyperParameters": dict(job["hyperparameters"]),
        "InputDataConfig": _channels(job, places),
        "OutputDataConfig": {"S3OutputPath": places.output_uri},
        "ResourceConfig": {
            "InstanceType": resources.get("instance_type", sizes.instance_type),
            "InstanceCount": 1,
            "VolumeSizeInGB": resources.get("volume_gb", sizes.volume_gb),
        },
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": spot,
        "CheckpointConfig": {
            "S3Uri": f"{places.output_uri}/checkpoints/{job['name']}",
            "LocalPath": CHECKPOINT_FOLDER,
        },
    }


def tuning_request(
    job: MemberJob, settings: TuningSettings, name: str, seed: int, parent: str | None
) -> TuningRequest:
    """Build the search of a member; with a parent it goes on from that one."""
    config: dict[str, object] = {
        "Strategy": settings["strategy"],
        "HyperParameterTuningJobObjective": job["objective"],
        "ParameterRanges": job["parameter_ranges"],
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": settings["max_jobs"],
            "MaxParallelTrainingJobs": settings["max_parallel_jobs"],
        },
        "TrainingJobEarlyStoppingType": "Auto" if settings["early_stopping"] else "Off",
        "RandomSeed": seed,
    }
    warm: dict[str, object] | None = None
    if parent:
        warm = {
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent}],
            "WarmStartType": "TransferLearning",
        }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config,
        "WarmStartConfig": warm,
    }


def marketplace_model_request(job: MemberJob, name: str, role_arn: str) -> dict[str, object]:
    """Build the ``CreateModel`` of mode F; AWS takes it from a subscriber of the product."""
    return {
        "ModelName": name,
        "PrimaryContainer": {"ModelPackageName": job["arn"]},
        "ExecutionRoleArn": role_arn,
        "EnableNetworkIsolation": True,
    }


def member_plan(
    job: MemberJob,
    *,
    training_job_name: str,
    key: str,
    known: str | None,
    request: TrainingRequest,
    tuning: TuningRequest | None,
) -> MemberPlan:
    """Say how a member gets its model; ``known`` is where its artefact lies already."""
    if job["mode"] == "F":
        raise MarketplaceModelError(member=job["name"], arn=job["arn"])
    given = job["artefact_uri"] or known
    if given:
        return _reuse(job, training_job_name, given)
    output = f"{request['OutputDataConfig']['S3OutputPath']}/{training_job_name}/output"
    return {
        "name": job["name"],
        "mode": job["mode"],
        "action": _action(tuning),
        "training_job_name": training_job_name,
        "artefact_uri": "" if tuning else f"{output}/model.tar.gz",
        "cache_key": key,
        "request": request,
        "tuning": tuning,
    }


def _reuse(job: MemberJob, training_job_name: str, uri: str) -> MemberPlan:
    return {
        "name": job["name"],
        "mode": job["mode"],
        "action": "reuse",
        "training_job_name": training_job_name,
        "artefact_uri": uri,
        "cache_key": "",
        "request": None,
        "tuning": None,
    }


def _action(tuning: TuningRequest | None) -> MemberAction:
    if tuning is None:
        return "train"
    return "tune_on" if tuning["WarmStartConfig"] else "tune"


def _algorithm(job: MemberJob, images: Mapping[str, str]) -> dict[str, object]:
    specification: dict[str, object] = {"TrainingInputMode": "File"}
    if job["mode"] == "E":
        specification["AlgorithmName"] = job["arn"]
    else:
        # Mode D has no job: its request is never sent.
        specification["TrainingImage"] = images.get(job["algorithm"], "")
    if job["metric_definitions"]:
        specification["MetricDefinitions"] = job["metric_definitions"]
    return specification


def _channels(job: MemberJob, places: Places) -> list[dict[str, object]]:
    return [
        training_channel(
            name, _uri_of(held, places), job["content_type"] if _is_csv(held) else None
        )
        for name, held in job["channels"].items()
    ]


def _is_csv(held: str) -> bool:
    return held.startswith(PREPARATION_OUTPUT) and not held.endswith("/code")


def _uri_of(held: str, places: Places) -> str:
    if held == DATASET_CHANNEL:
        return places.dataset_uri
    if held == CONFIG_CHANNEL:
        return places.config_uri
    return f"{places.prepared_uri}/{held.removeprefix(PREPARATION_OUTPUT).strip('/')}/"
