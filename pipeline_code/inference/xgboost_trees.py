"""XGBoost models scored without XGBoost: the trees as arrays, walked for all rows at once.

The sums are made in float32, tree by tree, as the library makes them: the margins are its own, bit
for bit (``Booster.predict(..., output_margin=True)``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline_code.inference import ubjson

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

OBJECTIVE = "binary:logistic"
_ROWS_AT_ONCE = 4096


class XgboostModelError(RuntimeError):
    """The file is no XGBoost model that can be scored here; the message says why."""


@dataclass(frozen=True)
class _Nodes:
    """The nodes of all trees one after the other; a leaf points to itself."""

    feature: Indices
    threshold: Matrix
    default_left: npt.NDArray[np.bool_]
    left: Indices
    right: Indices
    value: Matrix
    cover: Matrix
    """How much of the training (sum of hessians) came by."""


class XgboostTrees:
    """A loaded model."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        learner = _learner(document)
        trees: Sequence[Mapping[str, Any]] = learner["gradient_booster"]["model"]["trees"]
        if any(len(tree["categories"]) for tree in trees):
            raise XgboostModelError("splits by categories are not supported: use numeric columns")
        parameters = learner["learner_model_param"]
        self.feature_count = int(parameters["num_feature"])
        self._base = _margin(str(parameters["base_score"]))
        sizes = [len(tree["split_indices"]) for tree in trees]
        self._roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        self._nodes = _joined(trees, self._roots)
        self._depth = max(_depth(tree) for tree in trees)

    def raw_scores(self, matrix: Matrix) -> Floats:
        """Score rows, float32 and one column a feature, NaN where unknown; answers log odds."""
        if matrix.shape[1] != self.feature_count:
            raise XgboostModelError(
                f"{matrix.shape[1]} features were given, the model reads {self.feature_count}"
            )
        parts = [
            self._score(matrix[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(matrix), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts or [np.empty(0, np.float32)]).astype(np.float64)

    def contributions(self, matrix: Matrix) -> Floats:
        """Tell what each decision on a row's ways adds to its log odds; last, what none adds.

        A decision adds the mean of the leaves below it less the mean before it (Saabas).
        """
        means = self._means()
        found = np.zeros((len(matrix), self.feature_count + 1))
        found[:, -1] = float(self._base) + means[self._roots].sum()
        for row, values in zip(found, matrix, strict=True):
            for root in self._roots.tolist():
                self._follow(int(root), values, means, row)
        return found

    def _follow(self, root: int, values: Matrix, means: Floats, row: Floats) -> None:
        nodes, at = self._nodes, root
        while nodes.left[at] != at:
            feature = nodes.feature[at]
            value = values[feature]
            to_left = nodes.default_left[at] if np.isnan(value) else value < nodes.threshold[at]
            then = int(nodes.left[at] if to_left else nodes.right[at])
            row[feature] += means[then] - means[at]
            at = then

    def _means(self) -> Floats:
        """Mean of the leaves below each node; children stand after their parents."""
        nodes = self._nodes
        means = nodes.value.astype(np.float64)
        for at in range(len(means) - 1, -1, -1):
            left, right = int(nodes.left[at]), int(nodes.right[at])
            if left != at:
                weights = nodes.cover[[left, right]].astype(np.float64)
                means[at] = np.average(means[[left, right]], weights=weights)
        return means

    def _score(self, matrix: Matrix) -> Matrix:
        nodes = self._nodes
        rows = np.arange(len(matrix))[:, None]
        at = np.broadcast_to(self._roots, (len(matrix), len(self._roots)))
        for _ in range(self._depth):
            value = matrix[rows, nodes.feature[at]]
            to_left = np.where(np.isnan(value), nodes.default_left[at], value < nodes.threshold[at])
            at = np.where(to_left, nodes.left[at], nodes.right[at])
        leaves = nodes.value[at]
        leaves[:, 0] += self._base
        return np.add.accumulate(leaves, axis=1, dtype=np.float32)[:, -1]


def load_xgboost_trees(content: bytes) -> XgboostTrees:
    """Load a model file as XGBoost 2.1 or later writes it, UBJSON or JSON."""
    return XgboostTrees(read_document(content))


def read_document(content: bytes) -> Mapping[str, Any]:
    """Decode a model file, UBJSON or JSON: the latter's first key is a quoted one."""
    try:
        is_json = content[1:].lstrip()[:1] == b'"'
        document = json.loads(content) if is_json else ubjson.decode(content)
    except ValueError as error:
        raise XgboostModelError(f"the model file cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise XgboostModelError("the model file holds no model")
    return document


def _learner(document: Mapping[str, Any]) -> Mapping[str, Any]:
    learner: Mapping[str, Any] | None = document.get("learner")
    if learner is None:
        raise XgboostModelError(f"the model file has no learner, but {sorted(document)}")
    objective = learner["objective"]["name"]
    if objective != OBJECTIVE:
        raise XgboostModelError(f"the model's objective is {objective}, must be {OBJECTIVE}")
    booster = learner["gradient_booster"]["name"]
    if booster != "gbtree":
        raise XgboostModelError(f"the model's booster is {booster}, must be gbtree")
    return learner


def _margin(text: str) -> np.float32:
    """Turn the base score, a probability as text, since XGBoost 3.1 in brackets, into a margin."""
    odds_against = np.float32(1) / np.float32(text.strip("[]")) - np.float32(1)
    # The logarithm in double and rounded once, as C's logf gives it; numpy's own is an ulp off.
    return np.float32(-math.log(float(odds_against)))


def _joined(trees: Sequence[Mapping[str, Any]], roots: Indices) -> _Nodes:
    def column(name: str, kind: type) -> Any:
        return np.concatenate([np.asarray(tree[name], dtype=kind) for tree in trees])

    left, right = column("left_children", np.int32), column("right_children", np.int32)
    sizes = [len(tree["split_indices"]) for tree in trees]
    offset = np.repeat(roots, sizes).astype(np.int32)
    leaf, itself = left < 0, np.arange(len(left), dtype=np.int32)
    threshold = column("split_conditions", np.float32)
    return _Nodes(
        feature=np.where(leaf, 0, column("split_indices", np.int32)).astype(np.int32),
        threshold=threshold,
        default_left=column("default_left", np.bool_),
        left=np.where(leaf, itself, left + offset).astype(np.int32),
        right=np.where(leaf, itself, right + offset).astype(np.int32),
        value=threshold,
        cover=column("sum_hessian", np.float32),
    )


def _depth(tree: Mapping[str, Any]) -> int:
    """Count the decisions on the longest way to a leaf."""
    left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
    level, depth = np.array([0]), 0
    while True:
        inner = level[left[level] >= 0]
        if not len(inner):
            return depth
        level, depth = np.concatenate([left[inner], right[inner]]), depth + 1
