"""What each member looks at: shares of gain for trees, of absolute weight for linear models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_code.inference.linear import Preprocessing
from pipeline_code.inference.scorers import LIGHTGBM, LINEAR, XGBOOST
from pipeline_code.inference.xgboost_trees import read_document

Totals = dict[int, float]


def importances(
    artefact: Path, members: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Give each member's features their shares, the greatest first; they add up to 1."""
    return {
        member["name"]: _shares(
            _TOTALS[member.get("scorer", LIGHTGBM)]((artefact / member["file"]).read_bytes()),
            [*member["features"], *member["context"]],
        )
        for member in members
    }


def _shares(totals: Totals, names: Sequence[str]) -> dict[str, float]:
    whole = sum(totals.values()) or 1.0
    found = {name: totals.get(index, 0.0) / whole for index, name in enumerate(names)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _lightgbm(content: bytes) -> Totals:
    totals: Totals = {}
    features: list[int] = []
    for line in content.decode("utf-8").splitlines():
        name, _, values = line.partition("=")
        if name == "split_feature":
            features = [int(value) for value in values.split()]
        elif name == "split_gain":
            for feature, gain in zip(features, values.split(), strict=True):
                totals[feature] = totals.get(feature, 0.0) + float(gain)
    return totals


def _xgboost(content: bytes) -> Totals:
    totals: Totals = {}
    trees = read_document(content)["learner"]["gradient_booster"]["model"]["trees"]
    for tree in trees:
        inner = np.asarray(tree["left_children"]) >= 0
        features = np.asarray(tree["split_indices"])[inner].tolist()
        gains = np.asarray(tree["loss_changes"], dtype=np.float64)[inner].tolist()
        for feature, gain in zip(features, gains, strict=True):
            totals[feature] = totals.get(feature, 0.0) + gain
    return totals


def _linear(content: bytes) -> Totals:
    document = json.loads(content)
    columns = Preprocessing.of_document(document["preprocessing"]).columns
    weights = [abs(float(weight)) for weight in document["weights"]]
    totals = dict(enumerate(weights[: len(columns)]))
    indicators = [index for index, column in enumerate(columns) if column.indicator]
    for index, weight in zip(indicators, weights[len(columns) :], strict=True):
        totals[index] += weight
    return totals


_TOTALS: Mapping[str, Callable[[bytes], Totals]] = {
    LIGHTGBM: _lightgbm,
    XGBOOST: _xgboost,
    LINEAR: _linear,
}
