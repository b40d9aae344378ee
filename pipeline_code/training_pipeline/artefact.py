"""The ensemble's artefact as a folder, which is evaluated and served.

Every byte depends on the inputs alone, so that the same inputs give the same digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline_code.inference.ensemble import ARTEFACT_FORMAT
from pipeline_code.inference.scorers import SUFFIXES
from pipeline_code.training_pipeline.contract import ENSEMBLE_NAME, GOLDEN_NAME
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.member_artefact import MemberArtefact
from pipeline_code.training_pipeline.stacking import StackWeights


def write_ensemble(
    folder: Path,
    *,
    use_case: str,
    dataset_id: str,
    config: EnsembleConfig,
    members: Sequence[MemberArtefact],
    stackers: Sequence[StackWeights],
    stacked_on: str,
) -> None:
    """Write the ensemble's artefact: the members' models and how to join them."""
    described = []
    for member in members:
        file = f"members/{member.description['name']}.{SUFFIXES[member.scorer]}"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(member.content)
        digest = hashlib.sha256(member.content).hexdigest()
        described.append(
            {**member.description, "scorer": member.scorer, "file": file, "sha256": digest}
        )
    document = {
        "format": ARTEFACT_FORMAT,
        "use_case": use_case,
        "dataset_id": dataset_id,
        "seed": config.seed,
        "features": list(config.features),
        "categorical": sorted(config.categorical & set(config.features)),
        "members": described,
        "stackers": [asdict(stacker) for stacker in stackers],
        "stacked_on": stacked_on,
    }
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    (folder / ENSEMBLE_NAME).write_text(text, encoding="utf-8")


def write_golden(folder: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Write requests with this model's own answers, which the container checks before it serves."""
    lines = [json.dumps(record, sort_keys=True) for record in records]
    (folder / GOLDEN_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
