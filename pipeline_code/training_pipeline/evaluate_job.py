"""The evaluation's processing job: challenger, champion and dataset in, ``evaluation.json`` out."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from importlib.resources import files
from pathlib import Path

from pipeline_code.inference.ensemble import Ensemble, load_ensemble
from pipeline_code.job_folders import JobFolders, write_reason
from pipeline_code.training_pipeline.archives import unpack
from pipeline_code.training_pipeline.config_document import parse_ensemble_config
from pipeline_code.training_pipeline.contract import (
    EVALUATION_INPUT_CHALLENGER,
    EVALUATION_INPUT_CHAMPION,
    EVALUATION_INPUT_DATASET,
    EVALUATION_NAME,
    EVALUATION_OUTPUT,
    Metrics,
)
from pipeline_code.training_pipeline.dataset import dataset_id_of, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.evaluation import evaluate, size_of


def run(folders: JobFolders) -> None:
    """Evaluate what the job's inputs hold."""
    dataset = folders.processing_input(EVALUATION_INPUT_DATASET)
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = unpack(
            folders.processing_input(EVALUATION_INPUT_CHALLENGER), Path(scratch) / "challenger"
        )
        challenger = load_ensemble(unpacked)
        champion = _champion(folders, Path(scratch) / "champion")
        config = _config_of(challenger.use_case)
        rivals = champion.features if champion else ()
        features = tuple(dict.fromkeys(challenger.features + rivals))
        _say(f"challenger {challenger.digest[:12]} of {challenger.use_case}")
        evaluation = evaluate(
            dataset_id=dataset_id_of(dataset),
            config=config,
            train=read_rows(dataset, ("train",), features),
            test=read_rows(dataset, ("test",), features + config.slices),
            challenger=challenger,
            champion=champion,
            model_size_bytes=size_of(unpacked),
        )
    output = folders.processing_output(EVALUATION_OUTPUT)
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation, indent=1, sort_keys=True, allow_nan=False)
    (output / EVALUATION_NAME).write_text(text + "\n", encoding="utf-8")
    _report("challenger", evaluation["challenger"])
    for name, metrics in evaluation["baselines"].items():
        _report(name, metrics)
    if "champion" in evaluation:
        _report("champion", evaluation["champion"])


def _champion(folders: JobFolders, scratch: Path) -> Ensemble | None:
    channel = folders.processing_input(EVALUATION_INPUT_CHAMPION)
    if not channel.is_dir():
        return None
    return load_ensemble(unpack(channel, scratch))


def _config_of(use_case: str) -> EnsembleConfig:
    path = files(f"use_cases.{use_case}").joinpath("members.yaml")
    return parse_ensemble_config(path.read_text(encoding="utf-8"))


def _report(name: str, metrics: Metrics) -> None:
    for metric in ("auc", "pr_auc", "log_loss", "brier", "ece"):
        _say(f"{name}_{metric}={metrics[metric]:.6f}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Evaluate, or say why not."""
    folders = JobFolders.of_environment()
    try:
        run(folders)
    except Exception as error:  # noqa: BLE001 - the container's boundary: every reason is reported
        traceback.print_exc()
        write_reason(folders.message, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
