"""The training configuration, ``members.yaml`` of a use case or of the config store, typed.

Standard library only: functions read it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline_code.data_pipeline.contract import Split
from pipeline_code.training_pipeline.algorithms import Algorithm
from pipeline_code.training_pipeline.contract import (
    Gate,
    ParameterRange,
    ResourceSettings,
    TuningSettings,
)

DEFAULT_FILE = "members.yaml"


class EnsembleConfigError(ValueError):
    """The configuration is wrong; the message names file, field, value and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str, file: str = DEFAULT_FILE) -> None:
        super().__init__(f"{file}: {name} is {value!r}, but must be {allowed}")
        self.field = name
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True)
class Months:
    """A range of calendar months, both ends included."""

    first: str
    last: str

    def __contains__(self, period: object) -> bool:
        return isinstance(period, str) and self.first <= period <= self.last


@dataclass(frozen=True)
class OutOfFoldWindow:
    """Train on the training rows up to a month, score the months after it up to another."""

    train_through: str
    score_through: str


@dataclass(frozen=True)
class MemberGate:
    """What a member must reach on rows it has not seen before it may enter an ensemble.

    It asks for ranking alone: the stacker recalibrates the members.
    """

    min_auc: float


@dataclass(frozen=True)
class Member:
    """One member: a source's own features, the context that it shares, and how it learns."""

    name: str
    source: str
    features: tuple[str, ...]
    context: tuple[str, ...]
    algorithm: Algorithm
    parameters: Mapping[str, Any]
    """Of its algorithm: the defaults with the member's own laid over them."""
    gate: MemberGate
    search: Mapping[str, ParameterRange] = field(default_factory=dict)
    """Ranges of its algorithm's parameters; a member without is not tuned."""
    resources: ResourceSettings = field(default_factory=ResourceSettings)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All the columns that the model reads, in its order."""
        return self.features + self.context


@dataclass(frozen=True)
class SliceBand:
    """A slice by the bands of a number: below the first edge, between two, from the last on."""

    name: str
    column: str
    edges: tuple[float, ...]


@dataclass(frozen=True)
class EvaluationSettings:
    """How thoroughly the evaluation measures."""

    bootstrap_samples: int = 200
    influence_rows: int = 2000
    black_box: bool = False
    """Also fit one LightGBM on all features, to see what the ensemble costs in quality."""
    fairness_columns: tuple[str, ...] = ()
    fairness_threshold: float = 0.5


@dataclass(frozen=True)
class EnsembleConfig:
    """All that training needs to know about a use case."""

    split: Mapping[Split, Months]
    seed: int
    members: tuple[Member, ...]
    """The enabled ones."""
    categorical: frozenset[str]
    out_of_fold: tuple[OutOfFoldWindow, ...]
    stacker_l2: float
    slices: tuple[str, ...]
    gates: Gate
    slice_bands: tuple[SliceBand, ...] = ()
    slice_seasons: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    tuning: TuningSettings | None = None
    resources: ResourceSettings = field(default_factory=ResourceSettings)
    additive: Mapping[str, Any] | None = None
    """Parameters of one model whose trees are the members'; without them each learns alone."""

    def member(self, name: str) -> Member:
        """Find a member by name."""
        for member in self.members:
            if member.name == name:
                return member
        allowed = ", ".join(member.name for member in self.members)
        raise EnsembleConfigError("member", name, f"one of {allowed}")

    def evidence_of(self, member: Member) -> tuple[str, ...]:
        """Name the features that tell whether a member's source is there: its numeric ones."""
        return tuple(name for name in member.features if name not in self.categorical)

    @property
    def features(self) -> tuple[str, ...]:
        """Every column that any member reads, each once, in order of appearance."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.inputs))

    @property
    def own_modes_only(self) -> bool:
        """Tell whether our container trains all members, so that all score out of fold."""
        return all(member.algorithm.mode == "C" for member in self.members)
