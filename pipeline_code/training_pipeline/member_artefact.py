"""Members' artefacts: what a training job of any mode left becomes a model that we can score."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.inference.linear import AS_IS, Preprocessing, linear_content
from pipeline_code.inference.scorers import LIGHTGBM, LINEAR, XGBOOST, Scorer, load_scorer
from pipeline_code.training_pipeline.ensemble_config import Member
from pipeline_code.training_pipeline.member_training import TrainedMember
from pipeline_code.training_pipeline.mxnet_arrays import read_arrays
from pipeline_code.training_pipeline.out_of_fold import OutOfFold

MEMBER_NAME = "member.json"
MODEL_NAME = "model.txt"
OUT_OF_FOLD_NAME = "out_of_fold.parquet"
XGBOOST_NAME = "xgboost-model"
LINEAR_LEARNER_NAME = "model_algo-1"
LINEAR_NAME = "linear.json"
PARAMETERS_SUFFIX = ".params"


class MemberArtefactError(RuntimeError):
    """A member's artefact is missing or does not fit the configuration."""


@dataclass(frozen=True)
class MemberArtefact:
    """A member's model, as its scorer reads it, and what it said out of fold if it did."""

    description: dict[str, Any]
    scorer: str
    content: bytes
    out_of_fold: OutOfFold | None = None

    def load(self) -> Scorer:
        """Load the model."""
        return load_scorer(self.scorer, self.content)


def describe(member: Member, dataset_id: str) -> dict[str, Any]:
    """Say of a member what its artefact keeps."""
    return {
        "name": member.name,
        "source": member.source,
        "features": list(member.features),
        "context": list(member.context),
        "algorithm": member.algorithm.name,
        "mode": member.algorithm.mode,
        "parameters": dict(member.parameters),
        "dataset_id": dataset_id,
    }


def write_member(
    folder: Path, member: Member, dataset_id: str, trained: TrainedMember, scores: OutOfFold
) -> None:
    """Write our own training's artefact: model, out-of-fold scores, description."""
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
    document = {**describe(member, dataset_id), "out_of_fold_metrics": trained.metrics}
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    (folder / MEMBER_NAME).write_text(text, encoding="utf-8")


def read_member(
    folder: Path, member: Member, dataset_id: str, preprocessing: Path
) -> MemberArtefact:
    """Read a member's unpacked artefact; ``preprocessing`` is what the preparation wrote for it."""
    if member.algorithm.mode == "C":
        return _read_own(folder, member, dataset_id)
    description = describe(member, dataset_id)
    if (folder / MEMBER_NAME).is_file():
        _check_inputs(json.loads((folder / MEMBER_NAME).read_text(encoding="utf-8")), description)
    readers: Mapping[str, Callable[[], tuple[str, bytes]]] = {
        XGBOOST_NAME: lambda: (XGBOOST, (folder / XGBOOST_NAME).read_bytes()),
        LINEAR_LEARNER_NAME: lambda: _linear_learner(folder, preprocessing),
        LINEAR_NAME: lambda: _linear(folder, preprocessing),
        MODEL_NAME: lambda: (LIGHTGBM, (folder / MODEL_NAME).read_bytes()),
    }
    for name, read in readers.items():
        if (folder / name).is_file():
            scorer, content = read()
            return MemberArtefact(description, scorer, content)
    present = sorted(path.name for path in folder.iterdir())
    raise MemberArtefactError(
        f"member {member.name} ({member.algorithm.name}): its artefact holds {present}, but none "
        f"of {list(readers)}: it cannot be scored here"
    )


def check_digest(archive: Path, member: Member) -> None:
    """Refuse a pre-trained artefact that is not the one that the configuration names."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != member.algorithm.sha256:
        raise MemberArtefactError(
            f"member {member.name}: {member.algorithm.uri} has SHA-256 {found}, the configuration "
            f"asks for {member.algorithm.sha256}"
        )


def _read_own(folder: Path, member: Member, dataset_id: str) -> MemberArtefact:
    for name in (MEMBER_NAME, MODEL_NAME, OUT_OF_FOLD_NAME):
        if not (folder / name).is_file():
            raise MemberArtefactError(f"{folder} lacks {name}: it is no member's artefact")
    description = json.loads((folder / MEMBER_NAME).read_text(encoding="utf-8"))
    expected = describe(member, dataset_id)
    _check_inputs(description, expected)
    if description["dataset_id"] != dataset_id:
        raise _unexpected("dataset_id", description, expected)
    table = pq.read_table(folder / OUT_OF_FOLD_NAME, use_threads=False)
    return MemberArtefact(
        description=description,
        scorer=LIGHTGBM,
        content=(folder / MODEL_NAME).read_bytes(),
        out_of_fold=OutOfFold(
            entity_id=table.column("entity_id").to_pylist(),
            score=table.column("score").to_numpy(),
            available=table.column("available").to_numpy(),
            label=table.column("label").to_numpy().astype(np.float64),
        ),
    )


def _check_inputs(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for field in ("name", "features", "context"):
        if found[field] != expected[field]:
            raise _unexpected(field, found, expected)


def _unexpected(
    field: str, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> MemberArtefactError:
    return MemberArtefactError(
        f"the artefact of member {expected['name']} has {field} {found[field]!r}, "
        f"this run expects {expected[field]!r}"
    )


def _linear_learner(folder: Path, preprocessing: Path) -> tuple[str, bytes]:
    """Read the archive in the archive: the weights lie in an MXNet parameter file."""
    with zipfile.ZipFile(io.BytesIO((folder / LINEAR_LEARNER_NAME).read_bytes())) as archive:
        names = [name for name in archive.namelist() if name.endswith(PARAMETERS_SUFFIX)]
        arrays = read_arrays(archive.read(names[0])) if names else {}
    found = {name.partition(":")[2]: array for name, array in arrays.items()}
    if not {"fc0_weight", "fc0_bias"} <= found.keys():
        raise MemberArtefactError(
            f"{LINEAR_LEARNER_NAME} holds the arrays {sorted(arrays)}, not fc0_weight and fc0_bias"
        )
    return _weighed(
        preprocessing, found["fc0_weight"].ravel().tolist(), float(found["fc0_bias"][0])
    )


def _linear(folder: Path, preprocessing: Path) -> tuple[str, bytes]:
    """Read the script's weights, or a whole linear model that brings its preprocessing along."""
    content = (folder / LINEAR_NAME).read_bytes()
    document = json.loads(content)
    if "preprocessing" in document:
        return LINEAR, content
    return _weighed(preprocessing, document["weights"], float(document["bias"]))


def _weighed(preprocessing: Path, weights: Sequence[float], bias: float) -> tuple[str, bytes]:
    if not preprocessing.is_file():
        raise MemberArtefactError(f"{preprocessing} does not exist: was the member prepared?")
    known = Preprocessing.of_document(json.loads(preprocessing.read_text(encoding="utf-8")))
    if known.kind == AS_IS:
        raise MemberArtefactError(f"{preprocessing} is of kind {AS_IS}, which has no columns")
    return LINEAR, linear_content(known, weights, bias)
