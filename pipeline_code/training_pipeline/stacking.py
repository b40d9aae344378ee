"""The stacker: a logistic regression on log odds for every set of members that may be there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline_code.training_pipeline.contract import Metrics
from pipeline_code.training_pipeline.metrics import metrics_of, sigmoid
from pipeline_code.training_pipeline.out_of_fold import OutOfFold

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_STEPS = 50
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class StackWeights:
    """``logit = base + sum of weight * (member's logit - centre)`` over the members of one set."""

    members: tuple[str, ...]
    base: float
    weights: tuple[float, ...]
    centres: tuple[float, ...]
    rows: int


class StackingError(ValueError):
    """The out-of-fold scores do not suffice to fit a stacker."""


def fit_stackers(
    names: Sequence[str],
    scores: Mapping[str, Floats],
    available: Mapping[str, Mask],
    label: Floats,
    l2: float,
) -> list[StackWeights]:
    """Fit a stacker for every set of members, the empty one (base rate) and the full one included.

    ``scores`` and ``available`` hold one value a row of ``label``; a row counts for a set when all
    of the set's members are available in it.
    """
    return [
        _fit_set(members, scores, available, label, l2)
        for size in range(len(names) + 1)
        for members in itertools.combinations(names, size)
    ]


def _fit_set(
    members: tuple[str, ...],
    scores: Mapping[str, Floats],
    available: Mapping[str, Mask],
    label: Floats,
    l2: float,
) -> StackWeights:
    rows = np.ones(len(label), dtype=np.bool_)
    for name in members:
        rows &= available[name]
    if len(np.unique(label[rows])) < 2:  # noqa: PLR2004 - two classes
        raise StackingError(
            f"the members {list(members)} are together available in {int(rows.sum())} out-of-fold "
            "rows, which do not hold both classes"
        )
    logits = np.column_stack(
        [scores[name][rows] for name in members] or [np.zeros((rows.sum(), 0))]
    )
    centres = logits.mean(axis=0)
    coefficients = fit_logistic(logits - centres, label[rows], l2)
    return StackWeights(
        members=members,
        base=float(coefficients[0]),
        weights=tuple(float(value) for value in coefficients[1:]),
        centres=tuple(float(value) for value in centres),
        rows=int(rows.sum()),
    )


def fit_logistic(matrix: Floats, label: Floats, l2: float) -> Floats:
    """Fit intercept and weights by Newton's method; ``l2`` penalises the weights alone."""
    design = np.column_stack([np.ones(len(matrix)), matrix])
    penalty = np.diag([0.0] + [l2] * matrix.shape[1])
    rate = float(label.mean())
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log(rate / (1.0 - rate))
    for _ in range(_STEPS):
        probability = sigmoid(design @ coefficients)
        gradient = design.T @ (probability - label) + penalty @ coefficients
        curvature = (design * (probability * (1.0 - probability))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        coefficients -= step
        if float(np.abs(step).max()) < _TOLERANCE:
            return coefficients
    raise StackingError(f"the logistic regression did not converge within {_STEPS} Newton steps")


@dataclass(frozen=True)
class JoinedScores:
    """Out-of-fold scores of all members for the same rows."""

    scores: Mapping[str, Floats]
    available: Mapping[str, Mask]
    label: Floats

    def stacked_metrics(self, stacker: StackWeights) -> Metrics:
        """Measure a set's stacker on the rows where all of its members are available."""
        rows = np.logical_and.reduce([self.available[name] for name in stacker.members])
        logit = np.full(int(rows.sum()), stacker.base)
        for name, weight, centre in zip(
            stacker.members, stacker.weights, stacker.centres, strict=True
        ):
            logit += weight * (self.scores[name][rows] - centre)
        return metrics_of(self.label[rows], sigmoid(logit))


def join_out_of_fold(members: Mapping[str, OutOfFold]) -> JoinedScores:
    """Align the scores by entity, in the first member's order; all must hold the same entities."""
    first = next(iter(members.values()))
    scores: dict[str, Floats] = {}
    available: dict[str, Mask] = {}
    for name, member in members.items():
        position = {entity: index for index, entity in enumerate(member.entity_id)}
        if len(position) != len(member.entity_id) or position.keys() != set(first.entity_id):
            raise StackingError(
                f"member {name} scored {len(position)} different entities out of fold, "
                f"which are not the {len(first.entity_id)} of the first member"
            )
        order = np.array([position[entity] for entity in first.entity_id])
        scores[name] = member.score[order]
        available[name] = member.available[order]
    return JoinedScores(scores=scores, available=available, label=first.label)
