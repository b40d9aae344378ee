"""The ensemble artefact: load it, score rows with it, split every answer into the members' shares.

The endpoint and the evaluation both score through this module: the probability that was judged is
the one served.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.contract import MemberShare, Prediction, Reason
from pipeline_code.inference.familiarity import ANY, Range
from pipeline_code.inference.scorers import LIGHTGBM, Scorer, load_scorer, training_ranges
from pipeline_code.training_pipeline.contract import ENSEMBLE_NAME

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ARTEFACT_FORMAT = 2
READABLE_FORMATS = (1, ARTEFACT_FORMAT)
"""Format 1 knew LightGBM members only."""


class ArtefactError(RuntimeError):
    """The artefact is incomplete, altered or of a format that this code does not read."""


@dataclass(frozen=True)
class EnsembleMember:
    """One member: the columns that it reads, and those that tell whether its source is there."""

    name: str
    source: str
    columns: npt.NDArray[np.intp]
    evidence: npt.NDArray[np.intp]
    scorer: Scorer
    description: Mapping[str, Any]
    """What the artefact says of it: algorithm, mode, parameters, file."""
    ranges: Sequence[Range] = ()
    """Between which values its columns lay in training, if that is known."""

    def available(self, matrix: Matrix) -> Mask:
        """Tell per row whether the source is there."""
        return any_known(matrix[:, self.evidence])

    def range_of(self, position: int) -> Range:
        """Tell between which values one of its columns lay in training."""
        return self.ranges[position] if self.ranges else ANY

    def raw_scores(self, matrix: Matrix) -> Floats:
        """Score rows of the whole feature matrix; answers log odds."""
        return self.scorer.raw_scores(matrix[:, self.columns])


@dataclass(frozen=True)
class Stacker:
    """Weights for one set of available members, in the order of the ensemble."""

    base: float
    weights: tuple[float, ...]
    centres: tuple[float, ...]


class Ensemble:
    """A loaded ensemble; ``features`` names the columns of the matrix that it scores, in order."""

    def __init__(
        self,
        description: Mapping[str, Any],
        members: Sequence[EnsembleMember],
        stackers: Mapping[int, Stacker],
        digest: str,
    ) -> None:
        self.use_case = str(description["use_case"])
        self.features: tuple[str, ...] = tuple(description["features"])
        self.members = tuple(members)
        self.description = description
        self.digest = digest
        self._stackers = stackers
        self._names = [member.name for member in members]
        self._sources = [member.source for member in members]

    def predict(self, matrix: Matrix) -> list[Prediction]:
        """Answer every row in full: probability, base, each member's share, missing sources."""
        return list(self._predictions(matrix, frozenset()))

    def probabilities(self, matrix: Matrix, without: frozenset[str] = frozenset()) -> Floats:
        """Answer probabilities only; the sources in ``without`` count as missing."""
        return np.array([one["probability"] for one in self._predictions(matrix, without)])

    def member_scores(
        self, matrix: Matrix, without: frozenset[str] = frozenset()
    ) -> tuple[list[Floats], list[Mask]]:
        """Give each member's log odds of every row, and whether its source is there."""
        nowhere = np.zeros(len(matrix), dtype=np.bool_)
        return [member.raw_scores(matrix) for member in self.members], [
            nowhere if member.source in without else member.available(matrix)
            for member in self.members
        ]

    def joined(self, scores: Sequence[Floats], available: Sequence[Mask]) -> Floats:
        """Answer the probabilities that members' log odds give."""
        return np.array([one["probability"] for one in self._joined(scores, available)])

    def reasons(self, row: Matrix, available: Sequence[bool], count: int) -> list[Reason]:
        """Name what moves one row's answer most: features by member, the greatest first."""
        stacker = self._stackers[mask_of(available)]
        there = [one for one, known in zip(self.members, available, strict=True) if known]
        found: list[Reason] = [
            {
                "member": member.name,
                "feature": self.features[column],
                "share": weight * contribution,
            }
            for member, weight in zip(there, stacker.weights, strict=True)
            for column, contribution in zip(
                member.columns.tolist(),
                member.scorer.contributions(row[None, member.columns])[0, :-1].tolist(),
                strict=True,
            )
        ]
        return sorted(found, key=lambda one: -abs(one["share"]))[:count]

    def combined(self, scores: Sequence[float], available: Sequence[bool]) -> Prediction:
        """Answer one row of which the members' log odds are given."""
        return combine(self._stackers, self._names, self._sources, scores, available)

    def _predictions(self, matrix: Matrix, without: frozenset[str]) -> Iterator[Prediction]:
        return self._joined(*self.member_scores(matrix, without))

    def _joined(self, scores: Sequence[Floats], available: Sequence[Mask]) -> Iterator[Prediction]:
        for row_scores, row_available in zip(
            zip(*[score.tolist() for score in scores], strict=True),
            zip(*[there.tolist() for there in available], strict=True),
            strict=True,
        ):
            yield self.combined(row_scores, row_available)


def combine(
    stackers: Mapping[int, Stacker],
    names: Sequence[str],
    sources: Sequence[str],
    scores: Sequence[float],
    available: Sequence[bool],
) -> Prediction:
    """Join the members' log odds of one row with the weights of exactly the members that are there.

    ``base`` plus the shares, added in the members' order, is the logit of the probability.
    """
    stacker = stackers[mask_of(available)]
    logit = stacker.base
    members: dict[str, MemberShare] = {}
    position = 0
    for name, score, there in zip(names, scores, available, strict=True):
        if there:
            share = stacker.weights[position] * (score - stacker.centres[position])
            position += 1
            logit += share
            members[name] = {"probability": probability_of(score), "share": share}
    # Two members may share a source, which is missing once.
    missing = [source for source, there in zip(sources, available, strict=True) if not there]
    return {
        "probability": probability_of(logit),
        "base": stacker.base,
        "members": members,
        "missing_sources": list(dict.fromkeys(missing)),
    }


def any_known(evidence: Matrix) -> Mask:
    """Tell per row whether a source is there: one at least of its own numeric features is known.

    Codes of categories do not count, because an unknown category has a code as well.
    """
    return np.asarray((~np.isnan(evidence)).any(axis=1))


def probability_of(logit: float) -> float:
    """Turn log odds into a probability as LightGBM does, to the bit."""
    try:
        return 1.0 / (1.0 + math.exp(-logit))
    except OverflowError:
        return 0.0


def mask_of(available: Sequence[bool]) -> int:
    """Give a set of members its number: bit ``i`` is set when member ``i`` is there."""
    return sum(1 << index for index, there in enumerate(available) if there)


def load_ensemble(folder: Path) -> Ensemble:
    """Load an unpacked artefact; every model file must have the digest that the artefact states."""
    path = folder / ENSEMBLE_NAME
    if not path.is_file():
        raise ArtefactError(f"{path} does not exist: this is no ensemble artefact")
    content = path.read_bytes()
    description = json.loads(content)
    if description.get("format") not in READABLE_FORMATS:
        raise ArtefactError(
            f"{path} has format {description.get('format')!r}, this code reads {READABLE_FORMATS}"
        )
    features = {name: index for index, name in enumerate(description["features"])}
    codes = frozenset(description["categorical"])
    members = [_load_member(folder, item, features, codes) for item in description["members"]]
    order = {member.name: index for index, member in enumerate(members)}
    slope, intercept = _calibration(description, path)
    stackers = {
        sum(1 << order[name] for name in item["members"]): Stacker(
            base=intercept + slope * item["base"],
            weights=tuple(slope * weight for weight in item["weights"]),
            centres=tuple(item["centres"]),
        )
        for item in description["stackers"]
    }
    if len(stackers) != 1 << len(members):
        raise ArtefactError(f"{path} lacks stackers for some sets of its members")
    return Ensemble(description, members, stackers, hashlib.sha256(content).hexdigest())


def _calibration(description: Mapping[str, Any], path: Path) -> tuple[float, float]:
    """Read slope and intercept on the combined logit (Platt), if the artefact has them.

    Folded into the weights they leave every answer the sum of its base and its shares.
    """
    calibration = description.get("calibration", {"slope": 1.0, "intercept": 0.0})
    slope, intercept = float(calibration["slope"]), float(calibration["intercept"])
    if not (slope > 0 and math.isfinite(slope) and math.isfinite(intercept)):
        raise ArtefactError(
            f"{path}: calibration is {calibration}; slope must be above 0, both must be finite"
        )
    return slope, intercept


def _load_member(
    folder: Path, item: Mapping[str, Any], features: Mapping[str, int], codes: frozenset[str]
) -> EnsembleMember:
    content = (folder / item["file"]).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != item["sha256"]:
        raise ArtefactError(f"{item['file']} has digest {digest}, not {item['sha256']}")
    own, kind = item["features"], item.get("scorer", LIGHTGBM)
    return EnsembleMember(
        name=item["name"],
        source=item["source"],
        columns=np.array([features[name] for name in own + item["context"]], dtype=np.intp),
        evidence=np.array([features[name] for name in own if name not in codes], dtype=np.intp),
        scorer=load_scorer(kind, content),
        description=item,
        ranges=training_ranges(kind, content),
    )
