"""The training container's work: one member, or the stacker that joins them."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np

from pipeline_code.inference.ensemble import any_known
from pipeline_code.job_folders import (
    HyperparameterError,
    JobFolders,
    required,
    whole_number,
    write_reason,
)
from pipeline_code.training_pipeline.artefact import (
    MemberArtefact,
    read_member,
    unpack,
    write_ensemble,
    write_golden,
    write_member,
)
from pipeline_code.training_pipeline.config_document import parse_ensemble_config
from pipeline_code.training_pipeline.contract import (
    DATASET_CHANNEL,
    HYPERPARAMETER_MEMBER,
    HYPERPARAMETER_PREFIX,
    HYPERPARAMETER_SEED,
    HYPERPARAMETER_TASK,
    HYPERPARAMETER_THREADS,
    HYPERPARAMETER_USE_CASE,
    MEMBER_CHANNEL_PREFIX,
    TASK_MEMBER,
    TASK_STACK,
)
from pipeline_code.training_pipeline.dataset import dataset_id_of, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.golden import golden_records
from pipeline_code.training_pipeline.member_training import train_member
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.overrides import with_overrides
from pipeline_code.training_pipeline.stacking import StackWeights, fit_stackers, join_out_of_fold

Task = Callable[[JobFolders, Mapping[str, str]], None]


def say(line: str) -> None:
    """Print a line at once: the job's log, from which metrics are read as ``name=value``."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def load_config(use_case: str, hyperparameters: Mapping[str, str]) -> EnsembleConfig:
    """Read the ``members.yaml`` of a use case, with the seed and overrides of this job."""
    path = files(f"use_cases.{use_case}").joinpath("members.yaml")
    config = parse_ensemble_config(path.read_text(encoding="utf-8"))
    seed = whole_number(hyperparameters, HYPERPARAMETER_SEED, config.seed)
    return with_overrides(config, seed, hyperparameters, prefix=HYPERPARAMETER_PREFIX)


def run_member(folders: JobFolders, hyperparameters: Mapping[str, str]) -> None:
    """Train the member that the hyper-parameters name."""
    config = load_config(required(hyperparameters, HYPERPARAMETER_USE_CASE), hyperparameters)
    member = config.member(required(hyperparameters, HYPERPARAMETER_MEMBER))
    dataset = folders.channel(DATASET_CHANNEL)
    rows = read_rows(dataset, ("train", "validation"), member.inputs)
    say(f"member {member.name}: {len(rows)} rows, {len(member.inputs)} features")
    threads = whole_number(hyperparameters, HYPERPARAMETER_THREADS, 1)
    trained = train_member(config, member, rows, threads=threads, progress=say)
    for name, value in trained.metrics.items():
        say(f"{name}={value:.6f}")
    kept = trained.out_of_fold_rows
    entities = np.asarray(rows.entity_id, dtype=object)
    write_member(
        folders.model,
        member,
        dataset_id_of(dataset),
        trained,
        OutOfFold(
            entity_id=entities[kept].tolist(),
            score=trained.out_of_fold_scores,
            available=any_known(rows.matrix(config.evidence_of(member)))[kept],
            label=rows.label[kept],
        ),
    )


def run_stack(folders: JobFolders, hyperparameters: Mapping[str, str]) -> None:
    """Join the members' artefacts into the ensemble that will be served."""
    use_case = required(hyperparameters, HYPERPARAMETER_USE_CASE)
    config = load_config(use_case, hyperparameters)
    dataset = folders.channel(DATASET_CHANNEL)
    dataset_id = dataset_id_of(dataset)
    artefacts = _read_members(folders, config, dataset_id)
    joined = join_out_of_fold({name: one.out_of_fold for name, one in artefacts.items()})
    stackers = fit_stackers(
        list(artefacts), joined.scores, joined.available, joined.label, config.stacker_l2
    )
    for stacker in stackers:
        say(_described(stacker))
    write_ensemble(
        folders.model,
        use_case=use_case,
        dataset_id=dataset_id,
        config=config,
        members=list(artefacts.values()),
        stackers=stackers,
    )
    records = golden_records(folders.model, dataset)
    write_golden(folders.model, records)
    say(f"golden requests: {len(records)}")
    for name, value in joined.stacked_metrics(stackers[-1]).items():
        say(f"{name}={value:.6f}")


def _read_members(
    folders: JobFolders, config: EnsembleConfig, dataset_id: str
) -> dict[str, MemberArtefact]:
    artefacts = {}
    for member in config.members:
        with tempfile.TemporaryDirectory() as scratch:
            channel = folders.channel(MEMBER_CHANNEL_PREFIX + member.name)
            artefact = read_member(unpack(channel, Path(scratch)))
        expected = {
            "name": member.name,
            "features": list(member.features),
            "context": list(member.context),
            "dataset_id": dataset_id,
        }
        for field, value in expected.items():
            if artefact.description[field] != value:
                raise HyperparameterError(
                    f"the artefact in channel {channel.name} has {field} "
                    f"{artefact.description[field]!r}, this run expects {value!r}"
                )
        artefacts[member.name] = artefact
    return artefacts


def _described(stacker: StackWeights) -> str:
    weights = ", ".join(
        f"{name} {weight:.3f}"
        for name, weight in zip(stacker.members, stacker.weights, strict=True)
    )
    return f"stacker of ({weights}): base {stacker.base:.3f} from {stacker.rows} rows"


TASKS: Mapping[str, Task] = {TASK_MEMBER: run_member, TASK_STACK: run_stack}


def main() -> int:
    """Run the task that the hyper-parameters name; on failure tell SageMaker why."""
    folders = JobFolders.of_environment()
    try:
        hyperparameters = folders.hyperparameters()
        task = required(hyperparameters, HYPERPARAMETER_TASK)
        if task not in TASKS:
            raise HyperparameterError(
                f"the hyper-parameter 'task' is {task!r}, but must be one of {sorted(TASKS)}"
            )
        folders.model.mkdir(parents=True, exist_ok=True)
        TASKS[task](folders, hyperparameters)
    except Exception as error:  # noqa: BLE001 - the container's boundary: every reason is reported
        traceback.print_exc()
        write_reason(folders.failure, error)
        return 1
    return 0
