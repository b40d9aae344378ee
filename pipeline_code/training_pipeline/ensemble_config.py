"""The ensemble's configuration: ``members.yaml`` of a use case as a typed, checked value."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline_code.data_pipeline.contract import SPLITS, Split
from pipeline_code.training_pipeline.contract import Gate

MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
ALGORITHMS = ("lightgbm",)


class EnsembleConfigError(ValueError):
    """``members.yaml`` is wrong; the message names the field, its value and what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"members.yaml: {field} is {value!r}, but must be {allowed}")
        self.field = field


@dataclass(frozen=True)
class Months:
    """A range of calendar months, both ends included."""

    first: str
    last: str

    def __contains__(self, period: str) -> bool:
        return self.first <= period <= self.last


@dataclass(frozen=True)
class OutOfFoldWindow:
    """Train on the training rows up to a month, score the months after it up to another."""

    train_through: str
    score_through: str


@dataclass(frozen=True)
class MemberGate:
    """What a member must reach out of fold before it may enter an ensemble.

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
    algorithm: str
    parameters: Mapping[str, Any]
    rounds: int
    gate: MemberGate

    @property
    def inputs(self) -> tuple[str, ...]:
        """All the columns that the model reads, in its order."""
        return self.features + self.context


@dataclass(frozen=True)
class EnsembleConfig:
    """All that training needs to know about a use case."""

    split: Mapping[Split, Months]
    seed: int
    members: tuple[Member, ...]
    categorical: frozenset[str]
    out_of_fold: tuple[OutOfFoldWindow, ...]
    stacker_l2: float
    slices: tuple[str, ...]
    gates: Gate

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


class _Section:
    """One mapping of the file: reads fields, knows their path, refuses unknown ones."""

    def __init__(self, value: object, path: str, known: Sequence[str]) -> None:
        if not isinstance(value, dict):
            raise EnsembleConfigError(path or "the document", value, "a mapping")
        self.path = path
        self.values: dict[str, Any] = value
        for name in value:
            if name not in known:
                raise EnsembleConfigError(self.at(str(name)), value[name], f"one of {list(known)}")

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str, kind: type | tuple[type, ...], allowed: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise EnsembleConfigError(self.at(name), value, allowed)
        return value

    def text(self, name: str) -> str:
        return str(self.get(name, str, "a text"))

    def number(self, name: str, low: float, high: float) -> float:
        allowed = f"a number from {low} to {high}"
        value = self.get(name, (int, float), allowed)
        if not low <= value <= high:
            raise EnsembleConfigError(self.at(name), value, allowed)
        return float(value)

    def integer(self, name: str, low: int, high: int) -> int:
        allowed = f"a whole number from {low} to {high}"
        value = self.get(name, int, allowed)
        if not low <= value <= high:
            raise EnsembleConfigError(self.at(name), value, allowed)
        return int(value)

    def names(self, name: str, *, empty: bool = False) -> tuple[str, ...]:
        values = self.get(name, list, "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise EnsembleConfigError(self.at(name), values, "a list of texts")
        if len(set(values)) != len(values):
            raise EnsembleConfigError(self.at(name), values, "free of duplicates")
        if not values and not empty:
            raise EnsembleConfigError(self.at(name), values, "a list with at least one text")
        return tuple(values)

    def month(self, name: str) -> str:
        value = self.text(name)
        if not MONTH.match(value):
            raise EnsembleConfigError(self.at(name), value, "a month as YYYY-MM")
        return value


def load_ensemble_config(path: Path) -> EnsembleConfig:
    """Read and check a ``members.yaml``."""
    return parse_ensemble_config(path.read_text(encoding="utf-8"))


def parse_ensemble_config(text: str) -> EnsembleConfig:
    """Check the text of a ``members.yaml`` and give it a type."""
    root = _Section(
        yaml.safe_load(text),
        "",
        [
            "split", "seed", "members", "categorical", "out_of_fold", "stacker", "slices", "gates",
        ],
    )  # fmt: skip
    stacker = _Section(root.values.get("stacker"), "stacker", ["algorithm", "l2"])
    if stacker.text("algorithm") != "logistic":
        raise EnsembleConfigError("stacker.algorithm", stacker.text("algorithm"), "logistic")
    config = EnsembleConfig(
        split=_split(root.values.get("split")),
        seed=root.integer("seed", 0, 2**31 - 1),
        members=_members(root),
        categorical=frozenset(root.names("categorical", empty=True)),
        out_of_fold=_windows(root),
        stacker_l2=stacker.number("l2", 0.0, 1e6),
        slices=root.names("slices", empty=True),
        gates=_gates(root.values.get("gates")),
    )
    unknown = config.categorical - set(config.features)
    if unknown:
        raise EnsembleConfigError("categorical", sorted(unknown), "features of some member")
    for index, member in enumerate(config.members):
        if not config.evidence_of(member):
            raise EnsembleConfigError(
                f"members[{index}].features", list(member.features), "not categorical all of them"
            )
    return config


def _split(value: object) -> dict[Split, Months]:
    section = _Section(value, "split", SPLITS)
    split: dict[Split, Months] = {}
    for name in SPLITS:
        months = _Section(section.values.get(name), section.at(name), ["first", "last"])
        split[name] = Months(months.month("first"), months.month("last"))
        if split[name].first > split[name].last:
            raise EnsembleConfigError(months.at("last"), split[name].last, "not before `first`")
    for earlier, later in itertools.pairwise(SPLITS):
        if split[later].first <= split[earlier].last:
            raise EnsembleConfigError(
                f"split.{later}.first", split[later].first, f"after split.{earlier}.last"
            )
    return split


def _members(root: _Section) -> tuple[Member, ...]:
    values = root.get("members", list, "a list of members")
    if not values:
        raise EnsembleConfigError("members", values, "a list with at least one member")
    members = tuple(_member(value, f"members[{index}]") for index, value in enumerate(values))
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise EnsembleConfigError("members", names, "members with different names")
    return members


def _member(value: object, path: str) -> Member:
    section = _Section(
        value,
        path,
        ["name", "source", "features", "context", "algorithm", "parameters", "rounds", "gate"],
    )
    algorithm = section.text("algorithm")
    if algorithm not in ALGORITHMS:
        raise EnsembleConfigError(section.at("algorithm"), algorithm, f"one of {list(ALGORITHMS)}")
    gate = _Section(section.values.get("gate"), section.at("gate"), ["min_auc"])
    member = Member(
        name=section.text("name"),
        source=section.text("source"),
        features=section.names("features"),
        context=section.names("context", empty=True),
        algorithm=algorithm,
        parameters=section.get("parameters", dict, "a mapping of the algorithm's parameters"),
        rounds=section.integer("rounds", 1, 10_000),
        gate=MemberGate(gate.number("min_auc", 0.5, 1)),
    )
    both = sorted(set(member.features) & set(member.context))
    if both:
        raise EnsembleConfigError(section.at("context"), both, "features not named before")
    return member


def _windows(root: _Section) -> tuple[OutOfFoldWindow, ...]:
    values = root.get("out_of_fold", list, "a list of windows")
    windows: list[OutOfFoldWindow] = []
    for index, value in enumerate(values):
        section = _Section(value, f"out_of_fold[{index}]", ["train_through", "score_through"])
        window = OutOfFoldWindow(section.month("train_through"), section.month("score_through"))
        if window.score_through <= window.train_through:
            raise EnsembleConfigError(
                section.at("score_through"), window.score_through, "after `train_through`"
            )
        if windows and window.train_through < windows[-1].score_through:
            raise EnsembleConfigError(
                section.at("train_through"),
                window.train_through,
                "no earlier than the previous window's `score_through`",
            )
        windows.append(window)
    if not windows:
        raise EnsembleConfigError("out_of_fold", values, "a list with at least one window")
    return tuple(windows)


def _gates(value: object) -> Gate:
    section = _Section(value, "gates", sorted(Gate.__annotations__))
    return Gate(
        min_auc=section.number("min_auc", 0.5, 1),
        max_log_loss=section.number("max_log_loss", 0, 10),
        max_brier=section.number("max_brier", 0, 1),
        max_ece=section.number("max_ece", 0, 1),
        min_gain_log_loss=section.number("min_gain_log_loss", -10, 10),
        max_slice_loss_log_loss=section.number("max_slice_loss_log_loss", 0, 10),
        max_model_size_bytes=section.integer("max_model_size_bytes", 1, 10**10),
        max_latency_ms_p50=section.number("max_latency_ms_p50", 0, 60_000),
    )
