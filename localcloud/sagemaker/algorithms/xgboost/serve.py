"""Serving of the XGBoost container: rows of CSV, LIBSVM or RecordIO in, scores out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xgboost

from localcloud.sagemaker.algorithms import script_mode
from localcloud.sagemaker.algorithms.container import Container, UserError
from localcloud.sagemaker.algorithms.http_server import Answer, Request, accepted, serve
from localcloud.sagemaker.algorithms.tables import CSV, LIBSVM, RECORDIO, media_type, read_rows
from localcloud.sagemaker.algorithms.xgboost.train import MODEL

JSON, JSON_LINES = "application/json", "application/jsonlines"


def main(container: Container) -> None:
    """Load the model and serve it."""
    if container.environment.get("SAGEMAKER_PROGRAM"):
        script_mode.serve(container)
        return
    file = container.model_folder / MODEL
    if not file.is_file():
        raise UserError(f"The model's archive holds no {MODEL}")
    model = Model(xgboost.Booster(model_file=bytearray(file.read_bytes())))
    serve(container, model.answer)


class Model:
    """A booster that answers requests."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster
        self._width = booster.num_features()

    def answer(self, request: Request) -> Answer:
        """Score the rows of one request."""
        kind = media_type(request.content_type, CSV, (CSV, LIBSVM, RECORDIO))
        accept = accepted(request.accept, CSV, (CSV, JSON, JSON_LINES))
        try:
            rows = read_rows(kind, request.body)
        except (ValueError, UserError) as error:
            raise UserError(f"The request cannot be read as {kind}: {error}") from error
        return Answer(_written(self._scores(rows, kind), accept).encode(), accept)

    def _scores(self, rows: Any, kind: str) -> Any:
        missing = self._width - rows.shape[1]
        if missing < 0 or (missing and kind != LIBSVM):
            raise UserError(
                f"Feature size of inference data {rows.shape[1]} is not the feature size of the "
                f"trained model {self._width}"
            )
        rows = np.pad(rows, ((0, 0), (0, missing)), constant_values=np.nan)
        best = self._booster.attr("best_iteration")  # what early stopping wrote down
        limit = (0, int(best) + 1) if best else (0, 0)
        return self._booster.predict(
            xgboost.DMatrix(rows), iteration_range=limit, validate_features=False
        )


def _written(scores: Any, accept: str) -> str:
    if accept == CSV:
        rows = [",".join(map(str, np.atleast_1d(score).tolist())) for score in scores]
        return "\n".join(rows) + "\n"
    items = [{"score": score.tolist()} for score in scores]
    if accept == JSON:
        return json.dumps({"predictions": items})
    return "".join(f"{json.dumps(item)}\n" for item in items)
