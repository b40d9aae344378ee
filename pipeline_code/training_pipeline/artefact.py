"""Artefacts as folders: a member's, as its job leaves it, and the ensemble's, which is served.

Every byte depends on the inputs alone, so that the same inputs give the same digest.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.inference.ensemble import ARTEFACT_FORMAT
from pipeline_code.training_pipeline.contract import ENSEMBLE_NAME, GOLDEN_NAME
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member
from pipeline_code.training_pipeline.member_training import TrainedMember
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.stacking import StackWeights

ARCHIVE_NAME = "model.tar.gz"
MEMBER_NAME = "member.json"
MODEL_NAME = "model.txt"
OUT_OF_FOLD_NAME = "out_of_fold.parquet"


class MemberArtefactError(RuntimeError):
    """A member's artefact is missing or does not fit the configuration."""


@dataclass(frozen=True)
class MemberArtefact:
    """What a member's training job left behind."""

    description: dict[str, Any]
    model_text: str
    out_of_fold: OutOfFold


def write_member(
    folder: Path, member: Member, dataset_id: str, trained: TrainedMember, scores: OutOfFold
) -> None:
    """Write a member's artefact: model, out-of-fold scores, description."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_NAME).write_text(trained.model_text, encoding="utf-8")
    table = pa.table(
        {
            "entity_id": pa.array(scores.entity_id, pa.string()),
            "score": pa.array(scores.score, pa.float64()),
            "available": pa.array(scores.available, pa.bool_()),
            "label": pa.array(scores.label.astype(np.int8), pa.int8()),
        }
    )
    pq.write_table(table, folder / OUT_OF_FOLD_NAME, compression="zstd")
    _write_json(
        folder / MEMBER_NAME,
        {
            "format": ARTEFACT_FORMAT,
            "name": member.name,
            "source": member.source,
            "features": list(member.features),
            "context": list(member.context),
            "algorithm": member.algorithm.name,
            "parameters": dict(member.parameters),
            "dataset_id": dataset_id,
            "out_of_fold_metrics": trained.metrics,
        },
    )


def read_member(folder: Path) -> MemberArtefact:
    """Read a member's unpacked artefact."""
    for name in (MEMBER_NAME, MODEL_NAME, OUT_OF_FOLD_NAME):
        if not (folder / name).is_file():
            raise MemberArtefactError(f"{folder} lacks {name}: it is no member's artefact")
    table = pq.read_table(folder / OUT_OF_FOLD_NAME, use_threads=False)
    return MemberArtefact(
        description=json.loads((folder / MEMBER_NAME).read_text(encoding="utf-8")),
        model_text=(folder / MODEL_NAME).read_text(encoding="utf-8"),
        out_of_fold=OutOfFold(
            entity_id=table.column("entity_id").to_pylist(),
            score=table.column("score").to_numpy(),
            available=table.column("available").to_numpy(),
            label=table.column("label").to_numpy().astype(np.float64),
        ),
    )


def unpack(channel: Path, into: Path) -> Path:
    """Unpack the ``model.tar.gz`` that SageMaker leaves packed in a channel."""
    archive = channel / ARCHIVE_NAME
    if not archive.is_file():
        present = sorted(path.name for path in channel.iterdir()) if channel.is_dir() else []
        raise MemberArtefactError(f"{archive} does not exist; the channel holds {present}")
    into.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as packed:
        for entry in packed:
            _write_entry(packed, entry, into)
    return into


def _write_entry(packed: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    """Write one file of an archive; before Python 3.11.4 tarfile cannot refuse what leaves it."""
    if entry.isdir():
        return
    content = packed.extractfile(entry) if entry.isfile() else None
    path = (into / entry.name).resolve()
    if content is None or not path.is_relative_to(into.resolve()):
        raise MemberArtefactError(f"{entry.name}: only files inside of the artefact are allowed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as written:
        shutil.copyfileobj(content, written)


def write_ensemble(
    folder: Path,
    *,
    use_case: str,
    dataset_id: str,
    config: EnsembleConfig,
    members: Sequence[MemberArtefact],
    stackers: Sequence[StackWeights],
) -> None:
    """Write the ensemble's artefact: the members' models and how to join them."""
    described = []
    for member in members:
        file = f"members/{member.description['name']}.txt"
        content = member.model_text.encode("utf-8")
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        described.append({**member.description, "file": file, "sha256": digest})
    _write_json(
        folder / ENSEMBLE_NAME,
        {
            "format": ARTEFACT_FORMAT,
            "use_case": use_case,
            "dataset_id": dataset_id,
            "seed": config.seed,
            "features": list(config.features),
            "categorical": sorted(config.categorical),
            "members": described,
            "stackers": [asdict(stacker) for stacker in stackers],
        },
    )


def write_golden(folder: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Write requests with this model's own answers, which the container checks before it serves."""
    lines = [json.dumps(record, sort_keys=True) for record in records]
    (folder / GOLDEN_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
