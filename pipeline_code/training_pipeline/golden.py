"""Golden requests: real requests with the answers that the model gave when it was built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline_code.data_pipeline.contract import SAMPLE_REQUESTS_NAME
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.training_pipeline.dataset import DatasetError

MAX_GOLDEN = 100
MIN_GOLDEN = 3


def golden_records(artefact: Path, dataset: Path) -> list[dict[str, Any]]:
    """Ask the artefact the sample requests as they are, and one once for each missing source."""
    instances = _instances(dataset / SAMPLE_REQUESTS_NAME)
    predictor = load_predictor(artefact)
    optional = list(predictor.use_case.inputs)[1:]
    for group in optional:
        instances.append({**instances[0], group: None})
    predictions = predictor.predict(instances)
    return [
        {"request": {"instances": [instance]}, "prediction": prediction}
        for instance, prediction in zip(instances, predictions, strict=True)
    ]


def _instances(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DatasetError(f"{path} does not exist: the dataset has no sample requests")
    lines = path.read_text(encoding="utf-8").splitlines()
    instances = [json.loads(line)["instance"] for line in lines if line.strip()]
    if len(instances) < MIN_GOLDEN:
        raise DatasetError(f"{path} holds {len(instances)} requests, at least {MIN_GOLDEN} needed")
    return instances[:MAX_GOLDEN]
