"""Decides what to train: inputs by content, jobs by name, one execution at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict, TypeGuard

from lambdas.common.claims import CLAIMED, Claim, Claims, Executions, take
from lambdas.common.digests import digest_of, short_digest
from lambdas.common.errors import DocumentedError
from lambdas.common.model_records import ModelRecord
from lambdas.common.uris import parent, s3_uri
from lambdas.training_pipeline.contract import (
    EVALUATIONS_PREFIX,
    TRAINING_REGISTERED,
    TRAININGS_PREFIX,
    MemberPlan,
    PlanTrainingRequest,
    PlanTrainingResponse,
)
from lambdas.training_pipeline.leases import Wishes, take_lease
from lambdas.training_pipeline.plan_training.job_inputs import processing_input
from lambdas.training_pipeline.plan_training.job_names import job_name, tuning_name
from lambdas.training_pipeline.plan_training.member_plans import (
    Places,
    Sizes,
    cache_key,
    images_of,
    member_plan,
    training_request,
    tuning_request,
)
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.contract import (
    EVALUATION_INPUT_CHALLENGER,
    EVALUATION_INPUT_CHAMPION,
    EVALUATION_INPUT_CONFIG,
    EVALUATION_INPUT_DATASET,
    HYPERPARAMETER_SEED,
    HYPERPARAMETER_TASK,
    HYPERPARAMETER_USE_CASE,
    PREPARATION_INPUT_CONFIG,
    PREPARATION_INPUT_DATASET,
    PREPARED_MODES,
    REPRODUCTION_INPUT_ORIGINAL,
    REPRODUCTION_INPUT_REBUILT,
    TASK_STACK,
    MemberJob,
)
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.member_jobs import member_jobs


class DatasetExpiredError(DocumentedError):
    """Dataset {dataset_id} is {state}: its files go. Ingest its sources again, or train another."""


class DatasetNotFoundError(DocumentedError):
    """The use case {use_case} has no published dataset {dataset_id}. Ingest its sources first."""


class VersionNotFoundError(DocumentedError):
    """There is no model version {version} to reproduce."""


class DatasetVersion(TypedDict):
    """A published dataset version."""

    dataset_id: str
    manifest_uri: str
    state: NotRequired[str]
    """Empty unless the version expires."""


class Datasets(Protocol):
    """The published dataset versions."""

    def find(self, dataset_id: str | None) -> DatasetVersion | None:
        """Find a version; without an id, the latest."""


class ConfigStore(Protocol):
    """What is to be trained, and what was."""

    def current(self) -> Mapping[str, Any]:
        """Read the configuration that counts now: accepted last, or published with the stack."""

    def used(self, digest: str) -> Mapping[str, Any]:
        """Read what an earlier training used."""

    def keep(self, digest: str, config: Mapping[str, Any]) -> str:
        """Keep a configuration under its digest; give its address."""


class Models(Protocol):
    """The model repository."""

    def champion(self) -> ModelRecord | None:
        """Find the model version that serves."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""


class Artefacts(Protocol):
    """What earlier trainings left."""

    def known(self, cache_key: str) -> str | None:
        """Give where the artefact of these very inputs lies, if it still does."""


@dataclass(frozen=True)
class TrainingSetup:
    """What a training depends on besides data and configuration, and where its results go."""

    use_case: str
    image_uri: str
    algorithm_images: Mapping[str, str]
    model_bucket: str
    job_name_prefix: str
    threads: int
    sizes: Sizes


@dataclass(frozen=True)
class Stores:
    """All that a plan reads and claims."""

    datasets: Datasets
    configs: ConfigStore
    models: Models
    artefacts: Artefacts
    claims: Claims
    executions: Executions
    wishes: Wishes


@dataclass(frozen=True)
class Inputs:
    """What a training is made of."""

    training_id: str
    dataset: DatasetVersion
    document: Mapping[str, Any]
    config: EnsembleConfig
    config_digest: str
    config_uri: str
    image_uri: str
    champion: ModelRecord | None
    original: ModelRecord | None


def plan_training(
    request: PlanTrainingRequest, setup: TrainingSetup, stores: Stores
) -> PlanTrainingResponse:
    """Claim the training of these inputs, unless it is taken or done, and name its jobs."""
    if request.get("reproduce_version"):
        return _plan(request, setup, stores, _recorded(request, setup, stores))
    inputs = _inputs(request, setup, stores)
    plan = _plan(request, setup, stores, inputs)
    current = stores.claims.get(plan["training_id"])
    if current and current.state == TRAINING_REGISTERED:
        return _unchanged(plan, int(current.facts["version"]), stores.models)
    if _is_trained_elsewhere(current, request, stores):
        return _taken(plan, current)
    wish = {
        "dataset_id": request.get("dataset_id", ""),
        "requested_by": request["requested_by"],
        "reason": request["reason"],
    }
    holder = take_lease(
        stores.claims,
        stores.executions,
        stores.wishes,
        request["execution_arn"],
        wish,  # type: ignore[arg-type]  # all of its keys
    )
    if holder:
        plan["status"] = "queued"
        plan["detail"] = f"The execution {holder.execution_arn} trains; this one comes after."
        return plan
    taken = take(stores.claims, stores.executions, _claim(request, plan), current)
    if taken:
        return _taken(plan, taken)
    _check_is_kept(stores.datasets, plan["dataset_id"])
    return plan


def _is_trained_elsewhere(
    current: Claim | None, request: PlanTrainingRequest, stores: Stores
) -> TypeGuard[Claim]:
    if current is None or current.state != CLAIMED:
        return False
    holder = current.execution_arn
    return holder != request["execution_arn"] and stores.executions.is_running(holder)


def _taken(plan: PlanTrainingResponse, holder: Claim) -> PlanTrainingResponse:
    plan["status"] = "taken"
    plan["detail"] = f"The execution {holder.execution_arn} trains this very model."
    return plan


def training_id_of(setup: TrainingSetup, dataset_id: str, config_digest: str) -> str:
    """Name a training by all that its result depends on."""
    images = sorted(setup.algorithm_images.items())
    content = [setup.use_case, dataset_id, config_digest, setup.image_uri, images]
    return f"t-{short_digest(content)}"


def _inputs(request: PlanTrainingRequest, setup: TrainingSetup, stores: Stores) -> Inputs:
    dataset = _dataset(request.get("dataset_id") or None, setup, stores.datasets)
    document = stores.configs.current()
    config = ensemble_config_of(document)
    digest = digest_of(document)
    return Inputs(
        training_id=training_id_of(setup, dataset["dataset_id"], digest),
        dataset=dataset,
        document=document,
        config=config,
        config_digest=digest,
        config_uri=stores.configs.keep(digest, document),
        image_uri=setup.image_uri,
        champion=stores.models.champion(),
        original=None,
    )


def _recorded(request: PlanTrainingRequest, setup: TrainingSetup, stores: Stores) -> Inputs:
    """Take everything from a version's record: its dataset, its configuration, its image."""
    version = request["reproduce_version"]
    record = stores.models.version(version)
    if record is None:
        raise VersionNotFoundError(version=version)
    document = stores.configs.used(record["config_digest"])
    return Inputs(
        training_id=f"r-{short_digest([record['training_id'], request['execution_arn']])}",
        dataset=_dataset(record["dataset_id"], setup, stores.datasets),
        document=document,
        config=ensemble_config_of(document),
        config_digest=record["config_digest"],
        config_uri=stores.configs.keep(record["config_digest"], document),
        image_uri=record["image_uri"],
        champion=None,
        original=record,
    )


def _dataset(dataset_id: str | None, setup: TrainingSetup, datasets: Datasets) -> DatasetVersion:
    dataset = datasets.find(dataset_id)
    if dataset is None:
        raise DatasetNotFoundError(use_case=setup.use_case, dataset_id=dataset_id or "at all")
    return dataset


def _check_is_kept(datasets: Datasets, dataset_id: str) -> None:
    """Refuse a version that expires; looked at after the claim, which expiry looks at."""
    dataset = datasets.find(dataset_id)
    state = dataset.get("state", "") if dataset else ""
    if state:
        raise DatasetExpiredError(dataset_id=dataset_id, state=state)


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
    record = models.version(version)
    plan["status"] = "unchanged"
    plan["registered_version"] = version
    plan["registered_state"] = record["state"] if record else None  # type: ignore[typeddict-item]
    plan["detail"] = (
        f"The same dataset, configuration and image gave version {version}, "
        f"which is {plan['registered_state']}."
    )
    return plan


def _plan(
    request: PlanTrainingRequest, setup: TrainingSetup, stores: Stores, inputs: Inputs
) -> PlanTrainingResponse:
    names = _Names(setup, inputs.training_id, request["execution_arn"])
    places = Places(
        dataset_uri=parent(inputs.dataset["manifest_uri"]),
        config_uri=inputs.config_uri,
        prepared_uri=f"{names.output_uri}/prepared",
        output_uri=names.output_uri,
    )
    jobs = member_jobs(inputs.config, use_case=setup.use_case, threads=setup.threads)
    members = [_member(job, names, places, setup, stores, inputs) for job in jobs]
    stack_job_name = names.job(TASK_STACK)
    challenger = f"{names.output_uri}/{stack_job_name}/output/model.tar.gz"
    return {
        "status": "ready",
        "training_id": inputs.training_id,
        "dataset_id": inputs.dataset["dataset_id"],
        "dataset_uri": places.dataset_uri,
        "config_digest": inputs.config_digest,
        "config_uri": inputs.config_uri,
        "prepares": any(job["mode"] in PREPARED_MODES for job in jobs),
        "preparation_job_name": names.job("prepare"),
        "preparation_inputs": [
            processing_input(PREPARATION_INPUT_DATASET, places.dataset_uri),
            processing_input(PREPARATION_INPUT_CONFIG, places.config_uri),
        ],
        "prepared_uri": places.prepared_uri,
        "members": members,
        "stack_job_name": stack_job_name,
        "stack_hyperparameters": {
            HYPERPARAMETER_TASK: TASK_STACK,
            HYPERPARAMETER_USE_CASE: setup.use_case,
            HYPERPARAMETER_SEED: str(inputs.config.seed),
        },
        "stack_artefact_uri": challenger,
        "reproduces": inputs.original is not None,
        "reproduction_job_name": names.job("reproduce"),
        "reproduction_inputs": _reproduction_inputs(inputs.original, challenger),
        "reproduction_output_uri": names.evaluation_uri,
        "evaluation_job_name": names.job("evaluate"),
        "evaluation_inputs": _evaluation_inputs(places, challenger, inputs.champion),
        "evaluation_output_uri": names.evaluation_uri,
        "output_uri": names.output_uri,
        "image_uri": inputs.image_uri,
        "champion_version": inputs.champion["version"] if inputs.champion else None,
        "registered_version": None,
        "registered_state": None,
        "detail": f"{len(members)} members on dataset {inputs.dataset['dataset_id']}.",
    }


class _Names:
    """Names and places of one attempt at one training."""

    def __init__(self, setup: TrainingSetup, training_id: str, execution_arn: str) -> None:
        self._of = (training_id, execution_arn)
        self._prefix = setup.job_name_prefix
        attempt = f"{training_id}/{short_digest(execution_arn, 8)}"
        self.output_uri = s3_uri(setup.model_bucket, f"{TRAININGS_PREFIX}{attempt}")
        self.evaluation_uri = s3_uri(setup.model_bucket, f"{EVALUATIONS_PREFIX}{attempt}")

    def job(self, part: str) -> str:
        """Name a training or processing job."""
        return job_name(self._prefix, part, *self._of)

    def tuning(self, part: str) -> str:
        """Name a tuning job."""
        return tuning_name(self._prefix, part, *self._of)


def _member(
    job: MemberJob,
    names: _Names,
    places: Places,
    setup: TrainingSetup,
    stores: Stores,
    inputs: Inputs,
) -> MemberPlan:
    """Plan one member; to reproduce a version, what was tuned is trained as it was found."""
    images = images_of(inputs.image_uri, setup.algorithm_images)
    key = cache_key(job, inputs.document, inputs.dataset["dataset_id"], images)
    found = _tuned_as(job["name"], inputs.original)
    hyperparameters = {**job["hyperparameters"], **found}
    request = training_request(
        {**job, "hyperparameters": hyperparameters}, images, places, setup.sizes
    )
    settings = inputs.config.tuning
    tuning = None
    if job["objective"] and settings and not inputs.original:
        earlier = _tuned_by(job["name"], inputs.champion) if settings["warm_start"] else None
        name = names.tuning(job["name"])
        tuning = tuning_request(job, settings, name, inputs.config.seed, earlier)
    return member_plan(
        job,
        training_job_name=names.job(job["name"]),
        key=key,
        known=None if inputs.original else stores.artefacts.known(key),
        request=request,
        tuning=tuning,
    )


def _tuned_as(member: str, record: ModelRecord | None) -> dict[str, str]:
    facts = record.get("members", {}).get(member, {}) if record else {}
    return dict(facts.get("hyperparameters", {}))


def _tuned_by(member: str, record: ModelRecord | None) -> str | None:
    facts = record.get("members", {}).get(member, {}) if record else {}
    return facts.get("tuning_job_name") or None


def _evaluation_inputs(
    places: Places, challenger_uri: str, champion: ModelRecord | None
) -> list[dict[str, object]]:
    inputs = [
        processing_input(EVALUATION_INPUT_DATASET, places.dataset_uri),
        processing_input(EVALUATION_INPUT_CONFIG, places.config_uri),
        processing_input(EVALUATION_INPUT_CHALLENGER, challenger_uri),
    ]
    if champion:
        inputs.append(processing_input(EVALUATION_INPUT_CHAMPION, champion["artefact_uri"]))
    return inputs


def _reproduction_inputs(original: ModelRecord | None, rebuilt_uri: str) -> list[dict[str, object]]:
    if original is None:
        return []
    return [
        processing_input(REPRODUCTION_INPUT_ORIGINAL, original["artefact_uri"]),
        processing_input(REPRODUCTION_INPUT_REBUILT, rebuilt_uri),
    ]
