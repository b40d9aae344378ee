"""Builds the typed configuration from a document: the schema first, then what fields say together.

Standard library only but for the reading of YAML: functions, whose documents are JSON, use it too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from pipeline_code.data_pipeline.contract import SPLITS, Split
from pipeline_code.training_pipeline.algorithms import DEFAULTS, MIN_ROUNDS, ROUNDS, algorithm_of
from pipeline_code.training_pipeline.config_schema import SCHEMA
from pipeline_code.training_pipeline.contract import (
    Gate,
    ParameterRange,
    ResourceSettings,
    TuningSettings,
)
from pipeline_code.training_pipeline.ensemble_config import (
    DEFAULT_FILE,
    EnsembleConfig,
    EnsembleConfigError,
    EvaluationSettings,
    Member,
    MemberGate,
    Months,
    OutOfFoldWindow,
    SliceBand,
)
from pipeline_code.training_pipeline.schema_check import faults

Document = Mapping[str, Any]


def load_ensemble_config(path: Path) -> EnsembleConfig:
    """Read and check a ``members.yaml``."""
    return parse_ensemble_config(path.read_text(encoding="utf-8"), file=path.name)


def parse_ensemble_config(text: str, file: str = DEFAULT_FILE) -> EnsembleConfig:
    """Check the text of a configuration (YAML, or JSON, which is YAML) and give it a type."""
    import yaml  # noqa: PLC0415 - functions have no YAML parser and read JSON

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EnsembleConfigError("the document", str(error), "YAML", file) from error
    return ensemble_config_of(document, file)


def ensemble_config_of(document: object, file: str = DEFAULT_FILE) -> EnsembleConfig:
    """Type a document; an error names file, field, value and what is allowed."""
    for fault in faults(document, SCHEMA):
        raise EnsembleConfigError(fault.field, fault.value, fault.allowed, file)
    return _Builder(cast(Document, document), file).config()


class _Builder:
    """Types a document that keeps the schema."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file

    def config(self) -> EnsembleConfig:
        document = self._document
        config = EnsembleConfig(
            split=self._split(document["split"]),
            seed=document["seed"],
            members=self._members(document["members"]),
            categorical=frozenset(document["categorical"]),
            out_of_fold=self._windows(document["out_of_fold"]),
            stacker_l2=float(document["stacker"]["l2"]),
            slices=tuple(document["slices"]),
            gates=cast(Gate, dict(document["gates"])),
            slice_bands=self._bands(document.get("slice_bands", [])),
            slice_seasons=_seasons(document.get("slice_seasons", {})),
            evaluation=self._evaluation(document),
            tuning=_tuning(document.get("tuning")),
            additive=self._additive(document.get("additive")),
            resources=self._resources(document.get("resources", {}), "resources"),
        )
        self._check(config)
        return config

    def _refuse(self, field: str, value: object, allowed: str) -> NoReturn:
        raise EnsembleConfigError(field, value, allowed, self._file)

    def _split(self, value: Document) -> dict[Split, Months]:
        split = {name: Months(value[name]["first"], value[name]["last"]) for name in SPLITS}
        for name, months in split.items():
            if months.first > months.last:
                self._refuse(f"split.{name}.last", months.last, "not before `first`")
        for earlier, later in itertools.pairwise(SPLITS):
            if split[later].first <= split[earlier].last:
                self._refuse(
                    f"split.{later}.first", split[later].first, f"after split.{earlier}.last"
                )
        return split

    def _members(self, values: Sequence[Document]) -> tuple[Member, ...]:
        members = [self._member(value, f"members[{i}]") for i, value in enumerate(values)]
        names = [member.name for member in members]
        if len(set(names)) != len(names):
            self._refuse("members", names, "members with different names")
        enabled = [
            member
            for member, value in zip(members, values, strict=True)
            if value.get("enabled", True)
        ]
        if not enabled:
            self._refuse("members", names, "enabled, one of them at least")
        return tuple(enabled)

    def _member(self, value: Document, path: str) -> Member:
        features, context = tuple(value["features"]), tuple(value.get("context", []))
        both = sorted(set(features) & set(context))
        if both:
            self._refuse(f"{path}.context", both, "features not named before")
        algorithm = algorithm_of(value["algorithm"])
        own = value.get("parameters", {}).get(algorithm.name, {})
        parameters = {**DEFAULTS.get(algorithm.name, {}), **own}
        self._check_rounds(parameters, f"{path}.parameters.{algorithm.name}")
        search = value.get("search", {}).get(algorithm.name, {})
        for name, found in search.items():
            self._check_range(found, f"{path}.search.{algorithm.name}.{name}")
        return Member(
            name=value["name"],
            source=value["source"],
            features=features,
            context=context,
            algorithm=algorithm,
            parameters=parameters,
            gate=MemberGate(float(value["gate"]["min_auc"])),
            search=cast("dict[str, ParameterRange]", search),
            resources=self._resources(value.get("resources", {}), f"{path}.resources"),
        )

    def _check_rounds(self, parameters: Document, path: str) -> None:
        rounds = parameters.get(ROUNDS, MIN_ROUNDS)
        if not isinstance(rounds, int) or rounds < MIN_ROUNDS:
            self._refuse(f"{path}.{ROUNDS}", rounds, f"a whole number from {MIN_ROUNDS}")

    def _check_range(self, found: Document, path: str) -> None:
        if found["type"] == "categorical":
            if "values" not in found:
                self._refuse(f"{path}.values", None, "a list with at least one text")
            return
        for end in ("min", "max"):
            if end not in found:
                self._refuse(f"{path}.{end}", None, "a number")
        if found["min"] >= found["max"]:
            self._refuse(f"{path}.max", found["max"], "greater than `min`")

    def _windows(self, values: Sequence[Document]) -> tuple[OutOfFoldWindow, ...]:
        windows: list[OutOfFoldWindow] = []
        for index, value in enumerate(values):
            window = OutOfFoldWindow(value["train_through"], value["score_through"])
            path = f"out_of_fold[{index}]"
            if window.score_through <= window.train_through:
                self._refuse(f"{path}.score_through", window.score_through, "after `train_through`")
            if windows and window.train_through < windows[-1].score_through:
                self._refuse(
                    f"{path}.train_through",
                    window.train_through,
                    "no earlier than the previous window's `score_through`",
                )
            windows.append(window)
        return tuple(windows)

    def _bands(self, values: Sequence[Document]) -> tuple[SliceBand, ...]:
        for index, value in enumerate(values):
            if sorted(set(value["edges"])) != value["edges"]:
                self._refuse(f"slice_bands[{index}].edges", value["edges"], "ascending")
        return tuple(
            SliceBand(value["name"], value["column"], tuple(map(float, value["edges"])))
            for value in values
        )

    def _evaluation(self, document: Document) -> EvaluationSettings:
        settings = document.get("evaluation", {})
        fairness = document.get("fairness")
        if not fairness:
            return EvaluationSettings(**settings)
        unknown = sorted(set(fairness["columns"]) - set(document["slices"]))
        if unknown:
            self._refuse("fairness.columns", unknown, f"among slices: {document['slices']}")
        return EvaluationSettings(
            **settings,
            fairness_columns=tuple(fairness["columns"]),
            fairness_threshold=float(fairness["threshold"]),
        )

    def _additive(self, value: Document | None) -> Document | None:
        if value is None:
            return None
        parameters = {**DEFAULTS["lightgbm"], **value}
        self._check_rounds(parameters, "additive")
        for index, member in enumerate(self._document["members"]):
            if not member.get("enabled", True):
                continue
            path = f"members[{index}]"
            if member["algorithm"] != "lightgbm":
                allowed = "lightgbm when `additive` is given"
                self._refuse(f"{path}.algorithm", member["algorithm"], allowed)
            if member.get("search", {}).get("lightgbm"):
                self._refuse(f"{path}.search", member["search"], "empty when `additive` is given")
        return parameters

    def _resources(self, value: Document, path: str) -> ResourceSettings:
        budget, wait = value.get("budget_seconds"), value.get("max_wait_seconds")
        if budget is not None and wait is not None and wait < budget:
            self._refuse(f"{path}.max_wait_seconds", wait, "at least `budget_seconds`")
        return cast(ResourceSettings, dict(value))

    def _check(self, config: EnsembleConfig) -> None:
        """Check what members and the rest say of each other, disabled members included."""
        declared: Sequence[Document] = self._document["members"]
        named = {name for one in declared for name in [*one["features"], *one.get("context", [])]}
        unknown = sorted(config.categorical - named)
        if unknown:
            self._refuse("categorical", unknown, "features of some member")
        for index, one in enumerate(declared):
            if set(one["features"]) <= config.categorical:
                path = f"members[{index}].features"
                self._refuse(path, one["features"], "not categorical all of them")
        if any(member.search for member in config.members) and config.tuning is None:
            self._refuse("tuning", None, "given when a member has a `search`")
        self._check_sources(config, sorted({one["source"] for one in declared}))

    def _check_sources(self, config: EnsembleConfig, sources: Sequence[str]) -> None:
        for source in config.gates.get("without_source", {}):
            if source not in sources:
                self._refuse(f"gates.without_source.{source}", source, f"one of {sources}")


def _seasons(value: Document) -> dict[str, tuple[int, ...]]:
    return {name: tuple(months) for name, months in value.items()}


def _tuning(value: Document | None) -> TuningSettings | None:
    if value is None:
        return None
    defaults = {"early_stopping": False, "warm_start": False}
    return cast(TuningSettings, {**defaults, **value})
