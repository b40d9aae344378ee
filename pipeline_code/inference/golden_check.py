"""Golden requests: the loaded model must give the answers that it gave when it was built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline_code.inference.ensemble import ArtefactError
from pipeline_code.inference.predictor import Predictor
from pipeline_code.training_pipeline.contract import GOLDEN_NAME


class GoldenCheck:
    """Compares answers with the artefact's golden ones, exactly; an answer may say more."""

    def __init__(self, predictor: Predictor, records: list[dict[str, Any]]) -> None:
        self._predictor = predictor
        self._records = records

    def failure(self) -> str | None:
        """Ask the first golden request; answer what is wrong, or nothing."""
        return self._compare(self._records[:1])

    def every_failure(self) -> str | None:
        """Ask all golden requests; answer the first that is wrong, or nothing."""
        return self._compare(self._records)

    def _compare(self, records: list[dict[str, Any]]) -> str | None:
        instances = [record["request"]["instances"][0] for record in records]
        answers = self._predictor.predict(instances)
        for record, answer in zip(records, answers, strict=True):
            if {name: answer.get(name) for name in record["prediction"]} != record["prediction"]:
                return f"answered {answer}, the golden answer is {record['prediction']}"
        return None


def load_golden_check(predictor: Predictor, folder: Path) -> GoldenCheck:
    """Read the golden requests of an unpacked artefact."""
    path = folder / GOLDEN_NAME
    if not path.is_file():
        raise ArtefactError(f"{path} does not exist: the model cannot be checked")
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    if not records:
        raise ArtefactError(f"{path} is empty: the model cannot be checked")
    return GoldenCheck(predictor, records)
