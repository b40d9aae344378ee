"""The preparation's processing job: a dataset version in, the CSV files of other containers out."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from pipeline_code.inference.ensemble import any_known
from pipeline_code.job_folders import JobFolders, processed
from pipeline_code.training_pipeline.archives import pack
from pipeline_code.training_pipeline.contract import (
    CODE_CHANNEL,
    PREPARATION_INPUT_CONFIG,
    PREPARATION_INPUT_DATASET,
    PREPARATION_OUTPUT,
    PREPARED_MODES,
    PREPROCESSING_FOLDER,
    SCRIPT_NAME,
    SOURCE_ARCHIVE_NAME,
    TRAIN_CHANNEL,
    VALIDATION_CHANNEL,
)
from pipeline_code.training_pipeline.dataset import Rows, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member
from pipeline_code.training_pipeline.job_log import say
from pipeline_code.training_pipeline.preprocessing import fit_preprocessing
from pipeline_code.training_pipeline.run_config import config_in

CSV_NAME = "data.csv"
SCRIPTS = "pipeline_code.training_pipeline.scripts"


class NothingToPrepareError(RuntimeError):
    """No member of the configuration is trained in somebody else's container."""


def run(folders: JobFolders) -> None:
    """Prepare what the configuration's members need."""
    config = config_in(folders.processing_input(PREPARATION_INPUT_CONFIG))
    dataset = folders.processing_input(PREPARATION_INPUT_DATASET)
    output = folders.processing_output(PREPARATION_OUTPUT)
    members = [one for one in config.members if one.algorithm.mode in PREPARED_MODES]
    if not members:
        raise NothingToPrepareError(f"all members have other modes than {PREPARED_MODES}")
    for member in members:
        _prepare(config, member, dataset, output)
        if member.algorithm.mode == "B":
            _write_script(output / member.name / CODE_CHANNEL)


def _prepare(config: EnsembleConfig, member: Member, dataset: Path, output: Path) -> None:
    train = read_rows(dataset, ("train",), member.inputs, config.split)
    validation = read_rows(dataset, ("validation",), member.inputs, config.split)
    matrix, label = _known(config, member, train)
    categorical = np.array([name in config.categorical for name in member.inputs])
    preprocessing = fit_preprocessing(member.algorithm.name, matrix, label, categorical)
    path = output / PREPROCESSING_FOLDER / f"{member.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**preprocessing.document(), "features": list(member.inputs)}
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    # Algorithms that learn row by row need them mixed; months would come one after the other.
    order = np.random.default_rng(config.seed).permutation(len(label))
    folder = output / member.name
    _write_csv(folder / TRAIN_CHANNEL, preprocessing.apply(matrix)[order], label[order])
    held_out, truth = _known(config, member, validation)
    _write_csv(folder / VALIDATION_CHANNEL, preprocessing.apply(held_out), truth)
    say(f"member {member.name}: {len(label)} rows to train on, {len(truth)} to validate on")


def _known(
    config: EnsembleConfig, member: Member, rows: Rows
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.float32]], np.ndarray[tuple[int], np.dtype[np.float64]]
]:
    known = any_known(rows.matrix(config.evidence_of(member)))
    return rows.matrix(member.inputs)[known], rows.label[known]


def _write_csv(
    folder: Path,
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    label: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Write the label first and no header; unknown is ``nan``, numbers read back as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"label": pa.array(label.astype(np.int8))}
    for index in range(matrix.shape[1]):
        columns[f"f{index}"] = pa.array(matrix[:, index])
    options = pc.WriteOptions(include_header=False, quoting_style="none")
    pc.write_csv(pa.table(columns), folder / CSV_NAME, options)


def _write_script(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = files(SCRIPTS).joinpath(SCRIPT_NAME).read_bytes()
    (folder / SOURCE_ARCHIVE_NAME).write_bytes(pack({SCRIPT_NAME: content}))


def main() -> int:
    """Prepare, or say why not."""
    return processed(run)


if __name__ == "__main__":
    sys.exit(main())
