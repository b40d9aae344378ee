"""Serving of the Linear Learner container: rows in, scores and labels out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from localcloud.sagemaker.algorithms.container import Container, UserError
from localcloud.sagemaker.algorithms.http_server import Answer, Request, accepted, serve
from localcloud.sagemaker.algorithms.linear_learner.artefact import LinearModel
from localcloud.sagemaker.algorithms.linear_learner.schema import BINARY, REGRESSOR
from localcloud.sagemaker.algorithms.linear_learner.train import scores_of
from localcloud.sagemaker.algorithms.tables import CSV, RECORDIO, media_type, read_rows

JSON, JSON_LINES = "application/json", "application/jsonlines"
INPUTS = (CSV, JSON, JSON_LINES, RECORDIO)


def main(container: Container) -> None:
    """Load the model and serve it."""
    model = Model(LinearModel.load(container.model_folder))
    serve(container, model.answer)


class Model:
    """A linear model that answers requests."""

    def __init__(self, model: LinearModel) -> None:
        self._weight = model.weight.astype(np.float64)
        self._bias = model.bias.astype(np.float64)
        self._about = model.description

    def answer(self, request: Request) -> Answer:
        """Score the rows of one request."""
        kind = media_type(request.content_type, CSV, INPUTS)
        accept = accepted(request.accept, JSON, (JSON, JSON_LINES))
        rows = np.nan_to_num(_rows(kind, request.body), nan=0.0)
        if rows.ndim != 2 or rows.shape[1] != self._about.feature_dim:  # noqa: PLR2004 - a table
            raise UserError(
                f"The model has {self._about.feature_dim} features, the request has "
                f"{rows.shape[-1]}"
            )
        raw = rows.astype(np.float64) @ self._weight.T + self._bias
        scores = scores_of(self._about.predictor_type, self._about.loss, raw)
        items = [self._item(score) for score in scores]
        if accept == JSON:
            return Answer(json.dumps({"predictions": items}).encode(), accept)
        return Answer("".join(f"{json.dumps(item)}\n" for item in items).encode(), accept)

    def _item(self, scores: Any) -> dict[str, Any]:
        kind = self._about.predictor_type
        if kind == REGRESSOR:
            return {"score": float(scores[0])}
        if kind == BINARY:
            score = float(scores[0])
            return {"score": score, "predicted_label": int(score >= self._about.threshold)}
        return {"score": scores.tolist(), "predicted_label": int(scores.argmax())}


def _rows(kind: str, body: bytes) -> Any:
    if kind not in (JSON, JSON_LINES):
        return read_rows(kind, body)
    try:
        text = body.decode()
        lines = text.splitlines() if kind == JSON_LINES else None
        instances = [json.loads(line) for line in lines] if lines else json.loads(text)["instances"]
        return np.asarray([_features(each) for each in instances], np.float32)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            'The request is not JSON of the form {"instances": [{"features": [1.5, 2]}]}: '
            f"{error!r}"
        ) from error


def _features(instance: Any) -> Any:
    if "data" in instance:
        return instance["data"]["features"]["values"]
    return instance["features"]
