"""The stacker's task: members of any mode in, the ensemble that will be served out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline_code.inference.ensemble import any_known
from pipeline_code.job_folders import JobFolders, required
from pipeline_code.training_pipeline.archives import archive_in, unpack
from pipeline_code.training_pipeline.artefact import write_ensemble, write_golden
from pipeline_code.training_pipeline.contract import (
    DATASET_CHANNEL,
    HYPERPARAMETER_USE_CASE,
    MEMBER_CHANNEL_PREFIX,
    PREPARED_CHANNEL,
)
from pipeline_code.training_pipeline.dataset import dataset_id_of, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member
from pipeline_code.training_pipeline.golden import golden_records
from pipeline_code.training_pipeline.job_log import say
from pipeline_code.training_pipeline.member_artefact import (
    MemberArtefact,
    MemberArtefactError,
    check_digest,
    read_member,
)
from pipeline_code.training_pipeline.member_training import check_gate
from pipeline_code.training_pipeline.metrics import auc, sigmoid
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.stacking import StackWeights, fit_stackers, join_out_of_fold

OUT_OF_FOLD = "out_of_fold"
VALIDATION = "validation"


def run_stack(
    folders: JobFolders, hyperparameters: Mapping[str, str], config: EnsembleConfig
) -> None:
    """Join the members' artefacts into the ensemble."""
    dataset = folders.channel(DATASET_CHANNEL)
    dataset_id = dataset_id_of(dataset)
    artefacts = [_read(folders, member, dataset_id) for member in config.members]
    stacked_on = OUT_OF_FOLD if config.own_modes_only else VALIDATION
    say(f"stacking {len(artefacts)} members on their {stacked_on} scores")
    joined = join_out_of_fold(_scores(config, artefacts, dataset))
    names = [member.name for member in config.members]
    stackers = fit_stackers(names, joined.scores, joined.available, joined.label, config.stacker_l2)
    for stacker in stackers:
        say(_described(stacker))
    write_ensemble(
        folders.model,
        use_case=required(hyperparameters, HYPERPARAMETER_USE_CASE),
        dataset_id=dataset_id,
        config=config,
        members=artefacts,
        stackers=stackers,
        stacked_on=stacked_on,
    )
    records = golden_records(folders.model, dataset)
    write_golden(folders.model, records)
    say(f"golden requests: {len(records)}")
    for name, value in joined.stacked_metrics(stackers[-1]).items():
        say(f"{name}={value:.6f}")


def _read(folders: JobFolders, member: Member, dataset_id: str) -> MemberArtefact:
    channel = folders.channel(MEMBER_CHANNEL_PREFIX + member.name)
    if member.algorithm.mode == "D":
        check_digest(archive_in(channel), member)
    preprocessing = folders.channel(PREPARED_CHANNEL) / f"{member.name}.json"
    with tempfile.TemporaryDirectory() as scratch:
        return read_member(unpack(channel, Path(scratch)), member, dataset_id, preprocessing)


def _scores(
    config: EnsembleConfig, artefacts: list[MemberArtefact], dataset: Path
) -> dict[str, OutOfFold]:
    """Take what members said out of fold; when one cannot have, ask all for the validation months.

    No member has seen those: its final model learned from the training months alone.
    """
    if config.own_modes_only:
        return _out_of_fold(config, artefacts)
    rows = read_rows(dataset, ("validation",), config.features, config.split)
    found = {}
    for member, artefact in zip(config.members, artefacts, strict=True):
        scores = OutOfFold(
            entity_id=rows.entity_id,
            score=artefact.load().raw_scores(rows.matrix(member.inputs)),
            available=any_known(rows.matrix(config.evidence_of(member))),
            label=rows.label,
        )
        there = scores.available
        reached = auc(scores.label[there], sigmoid(scores.score[there]))
        check_gate(member, reached, "on the validation months")
        say(f"member {member.name}: AUC {reached:.6f} on {int(there.sum())} validation rows")
        found[member.name] = scores
    return found


def _out_of_fold(config: EnsembleConfig, artefacts: list[MemberArtefact]) -> dict[str, OutOfFold]:
    """Take members' scores; a member trained earlier is held against the gate of today."""
    found = {}
    for member, artefact in zip(config.members, artefacts, strict=True):
        if artefact.out_of_fold is None:
            raise MemberArtefactError(f"member {member.name} brings no out-of-fold scores")
        reached = float(artefact.description["out_of_fold_metrics"]["auc"])
        check_gate(member, reached, "out of fold")
        found[member.name] = artefact.out_of_fold
    return found


def _described(stacker: StackWeights) -> str:
    weights = ", ".join(
        f"{name} {weight:.3f}"
        for name, weight in zip(stacker.members, stacker.weights, strict=True)
    )
    return f"stacker of ({weights}): base {stacker.base:.3f} from {stacker.rows} rows"
