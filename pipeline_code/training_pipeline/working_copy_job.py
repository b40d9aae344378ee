"""Plans a candidate of the working copy on this machine: its dataset, its members' jobs.

``fourblocks train --local-change`` runs it on downloaded files; it needs no network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.contract import WorkingCopyPlan
from pipeline_code.training_pipeline.dataset import DatasetError
from pipeline_code.training_pipeline.ensemble_config import DEFAULT_FILE, EnsembleConfigError
from pipeline_code.training_pipeline.member_jobs import member_jobs
from pipeline_code.training_pipeline.working_copy import (
    StoredInputs,
    WorkingCopyError,
    check_names,
    recompute,
)
from pipeline_code.use_case import UseCaseError, load_use_case

QUICK = {"black_box": False, "influence_rows": 0}
"""What the evaluation leaves out here: no rule of the verdict rests on it."""


def run(options: argparse.Namespace) -> WorkingCopyPlan:
    """Compute the dataset's features again, and say which jobs make the candidate."""
    file = options.config or Path(f"use_cases/{options.use_case}/{DEFAULT_FILE}")
    document = _document(options.config, options.use_case, str(file))
    use_case = load_use_case(options.use_case)
    dataset: Path = options.dataset
    first = next(dataset.glob("split=*/*/*.parquet"))
    check_names(document, use_case, pq.read_schema(first).names, str(file))
    stored = StoredInputs(
        options.inputs, options.prefix, use_case, datetime.fromisoformat(options.as_of)
    )
    copy: Path = options.into / "dataset"
    changes = recompute(dataset, stored, use_case, copy)
    untuned = {
        **document,
        "members": [{**member, "search": {}} for member in document["members"]],
        "evaluation": {**document.get("evaluation", {}), **QUICK},
    }
    config = ensemble_config_of(untuned, str(file))
    return {
        "document": untuned,
        "members": member_jobs(config, use_case=use_case.name, threads=1),
        "changes": {
            "rows": changes.rows,
            "changed": changes.changed,
            "added": changes.added,
            "removed": changes.removed,
        },
        "touched": sorted(changes.touched),
        "dataset": str(copy),
    }


def _document(config: Path | None, use_case: str, file: str) -> Mapping[str, Any]:
    path = config or files(f"use_cases.{use_case}").joinpath(DEFAULT_FILE)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise EnsembleConfigError("the document", str(error), "YAML", file) from error
    ensemble_config_of(document, file)
    return dict(document)


def main(arguments: Sequence[str]) -> int:
    """Write ``plan.json``, or say what is wrong with the working copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-case", required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="folder of a dataset version")
    parser.add_argument("--inputs", type=Path, required=True, help="folder of feature groups")
    parser.add_argument("--prefix", required=True, help="of the feature groups' names")
    parser.add_argument("--as-of", required=True, help="when the dataset was published")
    parser.add_argument("--config", type=Path, help="instead of the use case's members.yaml")
    parser.add_argument("--into", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    try:
        plan = run(options)
    except (WorkingCopyError, EnsembleConfigError, UseCaseError, DatasetError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    (options.into / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
