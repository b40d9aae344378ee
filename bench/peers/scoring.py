"""The model as each peer loads it: our container's own predictor, so that the stacks compare."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline_code.inference.predictor import load_predictor

MODEL_VARIABLE = "BENCH_MODEL"

_PREDICTOR = load_predictor(Path(os.environ[MODEL_VARIABLE]))


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """Answer the body of ``/invocations``."""
    return {"model_version": "1", "predictions": _PREDICTOR.predict(body["instances"])}
