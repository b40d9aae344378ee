"""Decides what to train: inputs by content, jobs by name, one execution at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from lambdas.common.claims import CLAIMED, Claim, Claims, Executions, take
from lambdas.common.digests import digest_of, short_digest
from lambdas.common.errors import DocumentedError
from lambdas.common.uris import parent, s3_uri
from lambdas.training_pipeline.contract import (
    EVALUATIONS_PREFIX,
    TRAINING_REGISTERED,
    TRAININGS_PREFIX,
    MemberPlan,
    PlanTrainingRequest,
    PlanTrainingResponse,
)
from lambdas.training_pipeline.plan_training.job_inputs import processing_input, training_channel
from lambdas.training_pipeline.plan_training.job_names import job_name
from lambdas.training_pipeline.training_config import gate, member_names, seed
from pipeline_code.training_pipeline.contract import (
    DATASET_CHANNEL,
    EVALUATION_INPUT_CHALLENGER,
    EVALUATION_INPUT_CHAMPION,
    EVALUATION_INPUT_DATASET,
    HYPERPARAMETER_MEMBER,
    HYPERPARAMETER_SEED,
    HYPERPARAMETER_TASK,
    HYPERPARAMETER_THREADS,
    HYPERPARAMETER_USE_CASE,
    MEMBER_CHANNEL_PREFIX,
    TASK_MEMBER,
    TASK_STACK,
)


class DatasetNotFoundError(DocumentedError):
    """The use case {use_case} has no published dataset {dataset_id}. Ingest its sources first."""


class DatasetVersion(TypedDict):
    """A published dataset version."""

    dataset_id: str
    manifest_uri: str


class Champion(TypedDict):
    """The model version that serves."""

    version: int
    artefact_uri: str


class Datasets(Protocol):
    """The published dataset versions."""

    def find(self, dataset_id: str | None) -> DatasetVersion | None:
        """Find a version; without an id, the latest."""


class ConfigStore(Protocol):
    """What is to be trained, and what was."""

    def current(self) -> Mapping[str, Any]:
        """Read the configuration that is published with the stack."""

    def keep(self, digest: str, config: Mapping[str, Any]) -> None:
        """Keep a configuration under its digest."""


class Models(Protocol):
    """The model repository."""

    def champion(self) -> Champion | None:
        """Find the model version that serves."""

    def state(self, version: int) -> str | None:
        """Give a version's state."""


@dataclass(frozen=True)
class TrainingSetup:
    """What a training depends on besides data and configuration, and where its results go."""

    use_case: str
    image_uri: str
    model_bucket: str
    job_name_prefix: str
    threads: int


def plan_training(
    request: PlanTrainingRequest,
    setup: TrainingSetup,
    datasets: Datasets,
    configs: ConfigStore,
    models: Models,
    claims: Claims,
    executions: Executions,
) -> PlanTrainingResponse:
    """Claim the training of these inputs, unless it is taken or done, and name its jobs."""
    dataset = _dataset(request, setup, datasets)
    config = configs.current()
    gate(config)
    config_digest = digest_of(config)
    configs.keep(config_digest, config)
    champion = models.champion()
    plan = _plan(request, setup, dataset, config, champion)
    current = claims.get(plan["training_id"])
    if current and current.state == TRAINING_REGISTERED:
        return _unchanged(plan, int(current.facts["version"]), models)
    holder = take(claims, executions, _claim(request, plan), current)
    if holder:
        plan["status"] = "taken"
        plan["detail"] = f"The execution {holder.execution_arn} trains this very model."
    return plan


def training_id_of(setup: TrainingSetup, dataset_id: str, config_digest: str) -> str:
    """Name a training by all that its result depends on."""
    return f"t-{short_digest([setup.use_case, dataset_id, config_digest, setup.image_uri])}"


def _dataset(
    request: PlanTrainingRequest, setup: TrainingSetup, datasets: Datasets
) -> DatasetVersion:
    dataset_id = request.get("dataset_id") or None
    dataset = datasets.find(dataset_id)
    if dataset is None:
        raise DatasetNotFoundError(use_case=setup.use_case, dataset_id=dataset_id or "at all")
    return dataset


def _claim(request: PlanTrainingRequest, plan: PlanTrainingResponse) -> Claim:
    facts = {
        "dataset_id": plan["dataset_id"],
        "config_digest": plan["config_digest"],
        "image_uri": plan["image_uri"],
        "champion_version": plan["champion_version"],
        "requested_by": request["requested_by"],
        "reason": request["reason"],
    }
    return Claim(plan["training_id"], CLAIMED, request["execution_arn"], facts)


def _unchanged(plan: PlanTrainingResponse, version: int, models: Models) -> PlanTrainingResponse:
    plan["status"] = "unchanged"
    plan["registered_version"] = version
    plan["registered_state"] = models.state(version)  # type: ignore[typeddict-item]  # as stored
    plan["detail"] = (
        f"The same dataset, configuration and image gave version {version}, "
        f"which is {plan['registered_state']}."
    )
    return plan


def _plan(
    request: PlanTrainingRequest,
    setup: TrainingSetup,
    dataset: DatasetVersion,
    config: Mapping[str, Any],
    champion: Champion | None,
) -> PlanTrainingResponse:
    config_digest = digest_of(config)
    training_id = training_id_of(setup, dataset["dataset_id"], config_digest)
    attempt = short_digest(request["execution_arn"], 8)
    output_uri = s3_uri(setup.model_bucket, f"{TRAININGS_PREFIX}{training_id}/{attempt}")
    dataset_uri = parent(dataset["manifest_uri"])

    def name(part: str) -> str:
        return job_name(setup.job_name_prefix, part, training_id, request["execution_arn"])

    def hyperparameters(task: str, **extra: str) -> dict[str, str]:
        return {
            HYPERPARAMETER_TASK: task,
            HYPERPARAMETER_USE_CASE: setup.use_case,
            HYPERPARAMETER_SEED: str(seed(config)),
            **extra,
        }

    members: list[MemberPlan] = [
        {
            "name": member,
            "training_job_name": name(member),
            "hyperparameters": hyperparameters(
                TASK_MEMBER,
                **{HYPERPARAMETER_MEMBER: member, HYPERPARAMETER_THREADS: str(setup.threads)},
            ),
        }
        for member in member_names(config)
    ]
    stack_job_name = name(TASK_STACK)
    return {
        "status": "ready",
        "training_id": training_id,
        "dataset_id": dataset["dataset_id"],
        "dataset_uri": dataset_uri,
        "config_digest": config_digest,
        "members": members,
        "stack_job_name": stack_job_name,
        "stack_hyperparameters": hyperparameters(TASK_STACK),
        "stack_inputs": _stack_inputs(dataset_uri, output_uri, members),
        "evaluation_job_name": name("evaluate"),
        "evaluation_inputs": _evaluation_inputs(
            dataset_uri, _artefact(output_uri, stack_job_name), champion
        ),
        "evaluation_output_uri": s3_uri(
            setup.model_bucket, f"{EVALUATIONS_PREFIX}{training_id}/{attempt}"
        ),
        "output_uri": output_uri,
        "image_uri": setup.image_uri,
        "champion_version": champion["version"] if champion else None,
        "registered_version": None,
        "registered_state": None,
        "detail": f"{len(members)} members on dataset {dataset['dataset_id']}.",
    }


def _artefact(output_uri: str, training_job_name: str) -> str:
    """Say where SageMaker leaves a training job's artefact."""
    return f"{output_uri}/{training_job_name}/output/model.tar.gz"


def _stack_inputs(
    dataset_uri: str, output_uri: str, members: list[MemberPlan]
) -> list[dict[str, object]]:
    return [
        training_channel(DATASET_CHANNEL, dataset_uri),
        *(
            training_channel(
                MEMBER_CHANNEL_PREFIX + member["name"],
                _artefact(output_uri, member["training_job_name"]),
            )
            for member in members
        ),
    ]


def _evaluation_inputs(
    dataset_uri: str, challenger_uri: str, champion: Champion | None
) -> list[dict[str, object]]:
    inputs = [
        processing_input(EVALUATION_INPUT_DATASET, dataset_uri),
        processing_input(EVALUATION_INPUT_CHALLENGER, challenger_uri),
    ]
    if champion:
        inputs.append(processing_input(EVALUATION_INPUT_CHAMPION, champion["artefact_uri"]))
    return inputs
