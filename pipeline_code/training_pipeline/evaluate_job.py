"""The evaluation's processing job: challenger, champion and dataset in, ``evaluation.json`` out."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from pipeline_code.data_pipeline.contract import EVENT_TIME_COLUMN
from pipeline_code.inference.ensemble import load_ensemble
from pipeline_code.job_folders import JobFolders, processed
from pipeline_code.training_pipeline.archives import unpack
from pipeline_code.training_pipeline.champion import Champion
from pipeline_code.training_pipeline.contract import (
    EVALUATION_INPUT_CHALLENGER,
    EVALUATION_INPUT_CHAMPION,
    EVALUATION_INPUT_CHAMPION_DATASET,
    EVALUATION_INPUT_CONFIG,
    EVALUATION_INPUT_DATASET,
    EVALUATION_NAME,
    EVALUATION_OUTPUT,
    EVALUATION_PAGE_NAME,
    Evaluation,
    Metrics,
)
from pipeline_code.training_pipeline.dataset import columns_of, dataset_id_of, read_rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.evaluation import Challenger, evaluate
from pipeline_code.training_pipeline.evaluation_page import page
from pipeline_code.training_pipeline.job_log import say
from pipeline_code.training_pipeline.run_config import config_of_run


def run(folders: JobFolders) -> None:
    """Evaluate what the job's inputs hold."""
    dataset = folders.processing_input(EVALUATION_INPUT_DATASET)
    columns = columns_of(dataset)
    with tempfile.TemporaryDirectory() as scratch:
        unpacked = unpack(
            folders.processing_input(EVALUATION_INPUT_CHALLENGER), Path(scratch) / "challenger"
        )
        challenger = Challenger(load_ensemble(unpacked), unpacked)
        use_case = challenger.ensemble.use_case
        config = config_of_run(folders.processing_input(EVALUATION_INPUT_CONFIG), use_case)
        champion = _champion(folders, Path(scratch) / "champion", columns, config)
        rivals = champion.features if champion and champion.rows is None else ()
        features = tuple(dict.fromkeys(challenger.ensemble.features + rivals))
        bands = tuple(band.column for band in config.slice_bands)
        seen = (*features, *config.slices, *bands, EVENT_TIME_COLUMN)
        say(f"challenger {challenger.ensemble.digest[:12]} of {use_case}")
        for source, gone in (champion.missing if champion else {}).items():
            say(f"champion without {source}: the dataset no longer has {gone}")
        evaluation = evaluate(
            dataset_id=dataset_id_of(dataset),
            config=config,
            train=read_rows(dataset, ("train",), challenger.ensemble.features, config.split),
            test=read_rows(dataset, ("test",), seen, config.split),
            challenger=challenger,
            champion=champion,
        )
    _write(folders.processing_output(EVALUATION_OUTPUT), evaluation)
    _report("challenger", evaluation["challenger"])
    for name, metrics in evaluation["baselines"].items():
        _report(name, metrics)
    if "champion" in evaluation:
        _report("champion", evaluation["champion"])


def _write(output: Path, evaluation: Evaluation) -> None:
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation, indent=1, sort_keys=True, allow_nan=False)
    (output / EVALUATION_NAME).write_text(text + "\n", encoding="utf-8")
    (output / EVALUATION_PAGE_NAME).write_text(page(evaluation), encoding="utf-8")


def _champion(
    folders: JobFolders, scratch: Path, columns: AbstractSet[str], config: EnsembleConfig
) -> Champion | None:
    channel = folders.processing_input(EVALUATION_INPUT_CHAMPION)
    if not channel.is_dir():
        return None
    ensemble = load_ensemble(unpack(channel, scratch))
    own = folders.processing_input(EVALUATION_INPUT_CHAMPION_DATASET)
    if not own.is_dir():
        return Champion.on(ensemble, columns)
    champion = Champion.on(ensemble, columns_of(own))
    return replace(champion, rows=read_rows(own, ("test",), champion.features, config.split))


def _report(name: str, metrics: Metrics) -> None:
    for metric in ("auc", "pr_auc", "log_loss", "brier", "ece"):
        say(f"{name}_{metric}={metrics[metric]:.6f}")


def main() -> int:
    """Evaluate, or say why not."""
    return processed(run)


if __name__ == "__main__":
    sys.exit(main())
