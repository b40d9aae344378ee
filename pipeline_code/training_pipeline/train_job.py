"""The training container's work: one member, or the stacker that joins them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping

import numpy as np

from pipeline_code.inference.ensemble import any_known
from pipeline_code.job_folders import (
    HyperparameterError,
    JobFolders,
    required,
    whole_number,
    write_reason,
)
from pipeline_code.training_pipeline.checkpoints import Checkpoints
from pipeline_code.training_pipeline.contract import (
    CONFIG_CHANNEL,
    DATASET_CHANNEL,
    HYPERPARAMETER_MEMBER,
    HYPERPARAMETER_PREFIX,
    HYPERPARAMETER_SEED,
    HYPERPARAMETER_TASK,
    HYPERPARAMETER_THREADS,
    HYPERPARAMETER_USE_CASE,
    TASK_MEMBER,
    TASK_STACK,
)
from pipeline_code.training_pipeline.dataset import dataset_id_of, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.job_log import say
from pipeline_code.training_pipeline.member_artefact import MemberArtefactError, write_member
from pipeline_code.training_pipeline.member_training import train_member
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.overrides import with_overrides
from pipeline_code.training_pipeline.run_config import config_of_run
from pipeline_code.training_pipeline.stack_task import run_stack

Task = Callable[[JobFolders, Mapping[str, str], EnsembleConfig], None]


def load_config(folders: JobFolders, hyperparameters: Mapping[str, str]) -> EnsembleConfig:
    """Read the configuration of this run, with the seed and overrides of this job."""
    use_case = required(hyperparameters, HYPERPARAMETER_USE_CASE)
    config = config_of_run(folders.channel(CONFIG_CHANNEL), use_case)
    seed = whole_number(hyperparameters, HYPERPARAMETER_SEED, config.seed)
    return with_overrides(config, seed, hyperparameters, prefix=HYPERPARAMETER_PREFIX)


def run_member(
    folders: JobFolders, hyperparameters: Mapping[str, str], config: EnsembleConfig
) -> None:
    """Train the member that the hyper-parameters name."""
    member = config.member(required(hyperparameters, HYPERPARAMETER_MEMBER))
    if member.algorithm.mode != "C":
        raise MemberArtefactError(
            f"member {member.name} is trained by {member.algorithm.name}, not by this container"
        )
    dataset = folders.channel(DATASET_CHANNEL)
    dataset_id = dataset_id_of(dataset)
    inputs = config.features if config.additive else member.inputs
    rows = read_rows(dataset, ("train", "validation"), inputs, config.split)
    say(f"member {member.name}: {len(rows)} rows, {len(member.inputs)} features")
    threads = whole_number(hyperparameters, HYPERPARAMETER_THREADS, 1)
    checkpoints = Checkpoints(folders.checkpoints, dataset_id)
    trained = train_member(
        config, member, rows, threads=threads, progress=say, checkpoints=checkpoints
    )
    for name, value in trained.metrics.items():
        say(f"{name}={value:.6f}")
    kept = trained.out_of_fold_rows
    entities = np.asarray(rows.entity_id, dtype=object)
    write_member(
        folders.model,
        member,
        dataset_id,
        trained,
        OutOfFold(
            entity_id=entities[kept].tolist(),
            score=trained.out_of_fold_scores,
            available=any_known(rows.matrix(config.evidence_of(member)))[kept],
            label=rows.label[kept],
        ),
    )


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
        TASKS[task](folders, hyperparameters, load_config(folders, hyperparameters))
    except Exception as error:  # noqa: BLE001 - the container's boundary: every reason is reported
        traceback.print_exc()
        write_reason(folders.failure, error)
        return 1
    return 0
