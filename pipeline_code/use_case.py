"""The use case that a run serves: its contracts, read from YAML and checked, and its code."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol, cast

from pipeline_code.analytics_table import AnalyticsTable, load_analytics
from pipeline_code.contract_lock import (
    INPUTS,
    LockedContract,
    check_lock,
    lock_inputs,
    lock_source,
)
from pipeline_code.formulas.features import FeatureCode, Features
from pipeline_code.source_contract import (
    INPUT_TYPES,
    Field,
    Pull,
    Reference,
    SourceContract,
    read_field,
    read_source,
)
from pipeline_code.yaml_node import PACKAGE, Node, UseCaseError, read_yaml

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

__all__ = [
    "Field",
    "Period",
    "Pull",
    "Reference",
    "SourceContract",
    "UseCase",
    "UseCaseError",
    "as_column",
    "load_queries",
    "load_use_case",
]

SOURCES_FILE = "sources.yaml"
INPUTS_FILE = "inputs.yaml"
MEMBERS_FILE = "members.yaml"
QUERIES_FOLDER = "queries"


@dataclass(frozen=True)
class Period:
    """Calendar months ``YYYY-MM``, both ends included."""

    first: str
    last: str


class SnapshotCode(Protocol):
    """The module ``snapshots`` of a use case: joins and point-in-time aggregates in Spark."""

    def build_snapshots(
        self, sources: Mapping[str, DataFrame], keep: Callable[[DataFrame], DataFrame]
    ) -> DataFrame:
        """Join the sources into one row an entity: identity, label, slices and inputs.

        ``keep(rows)`` marks an intermediate table that is to be computed once for many uses.
        """
        ...


class AnalyticsCode(Protocol):
    """The module ``analytics`` of a use case: aggregates in Spark."""

    def build_tables(
        self, sources: Mapping[str, DataFrame], keep: Callable[[DataFrame], DataFrame]
    ) -> Mapping[str, DataFrame]:
        """Make each table that ``analytics.yaml`` declares of the sources' valid records."""
        ...


@dataclass(frozen=True)
class UseCase:
    """Everything that differs from one use case to the next."""

    name: str
    sources: Mapping[str, SourceContract]
    inputs: Mapping[str, Mapping[str, Field]]
    inputs_version: int
    split: Mapping[str, Period]
    slices: tuple[str, ...]
    analytics: Mapping[str, AnalyticsTable]

    @property
    def required_group(self) -> str:
        """The group of inputs that no request may lack: the entity's identity."""
        return next(iter(self.inputs))

    @property
    def required_sources(self) -> tuple[str, ...]:
        """Sources that a batch must hold before it is worth a run."""
        return tuple(name for name, source in self.sources.items() if source.required)

    @property
    def input_fields(self) -> tuple[Field, ...]:
        """All inputs, group by group."""
        return tuple(f for group in self.inputs.values() for f in group.values())

    def lockable(self) -> dict[str, LockedContract]:
        """Spell the contracts as the lock has them."""
        locked = {name: lock_source(source) for name, source in self.sources.items()}
        return locked | {INPUTS: lock_inputs(self.inputs_version, self.inputs)}

    def features(self) -> Features:
        """Import the row-level formulas."""
        return self._features

    @cached_property
    def _features(self) -> Features:
        module = importlib.import_module(f"{PACKAGE}.{self.name}.features")
        return Features(cast("FeatureCode", module), self.inputs)

    def snapshots(self) -> SnapshotCode:
        """Import the joins (needs PySpark)."""
        return cast("SnapshotCode", importlib.import_module(f"{PACKAGE}.{self.name}.snapshots"))

    def analytics_code(self) -> AnalyticsCode:
        """Import the aggregates (needs PySpark)."""
        return cast("AnalyticsCode", importlib.import_module(f"{PACKAGE}.{self.name}.analytics"))

    def columns(
        self, instances: Sequence[Mapping[str, Mapping[str, object] | None]]
    ) -> dict[str, NDArray[np.generic]]:
        """Turn request instances, already validated, into the columns that ``row_features`` takes.

        Text and datetimes become object arrays of ``str | None``, numbers float64, NaN for null;
        a missing group is null throughout.
        """
        columns: dict[str, NDArray[np.generic]] = {}
        for group, fields in self.inputs.items():
            parts = [instance.get(group) or {} for instance in instances]
            for name, field in fields.items():
                columns[name] = as_column(field.type, [part.get(name) for part in parts])
        return columns


def as_column(kind: str, values: Sequence[object]) -> NDArray[np.generic]:
    """Make one input column: an object array of ``str | None``, or float64 with NaN for null."""
    import numpy as np  # noqa: PLC0415 - synth loads use cases and needs no numpy

    if kind in ("string", "datetime"):
        return np.array(values, dtype=object)
    return np.array(values, dtype=np.float64)


def load_use_case(name: str) -> UseCase:
    """Read and check the contracts of ``use_cases/<name>/``, also against its lock."""
    use_case = read_use_case(name)
    check_lock(name, use_case.lockable())
    return use_case


def read_use_case(name: str) -> UseCase:
    """Read the contracts of ``use_cases/<name>/``, whatever was accepted before."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UseCaseError(f"use case {name!r}: a name is lower case letters, digits and _")
    sources = read_yaml(name, SOURCES_FILE)
    inputs = read_yaml(name, INPUTS_FILE)
    members = read_yaml(name, MEMBERS_FILE)
    use_case = UseCase(
        name=name,
        sources={key: read_source(key, node) for key, node in sources.items()},
        inputs={
            group: {key: read_field(key, node, INPUT_TYPES) for key, node in fields.items()}
            for group, fields in inputs.child("groups").items()
        },
        inputs_version=inputs.integer("version"),
        split={key: _period(node) for key, node in members.child("split").items()},
        slices=members.texts("slices"),
        analytics=load_analytics(name, taken=tuple(key for key, _ in sources.items())),
    )
    _check_references(sources.where, use_case)
    _check_unique_inputs(inputs.where, use_case)
    return use_case


def load_queries(use_case: str) -> dict[str, str]:
    """Read the saved queries of ``use_cases/<name>/queries/*.sql``, if there are any, by name."""
    folder = files(f"{PACKAGE}.{use_case}").joinpath(QUERIES_FOLDER)
    if not folder.is_dir():
        return {}
    found = sorted(folder.iterdir(), key=lambda each: each.name)
    return {
        each.name.removesuffix(".sql"): each.read_text(encoding="utf-8")
        for each in found
        if each.name.endswith(".sql")
    }


def _period(node: Node) -> Period:
    period = Period(first=node.text("first"), last=node.text("last"))
    for month in (period.first, period.last):
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            raise UseCaseError(f"{node.where}: is {month!r}, must be a month YYYY-MM")
    return period


def _check_references(where: str, use_case: UseCase) -> None:
    for source in use_case.sources.values():
        for reference in source.references:
            _check_reference(f"{where}: {source.name}: references", source, reference, use_case)
    try:
        graph = {s.name: [r.source for r in s.references] for s in use_case.sources.values()}
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise UseCaseError(f"{where}: references go in a circle: {circle}") from error


def _check_reference(
    where: str, source: SourceContract, reference: Reference, use_case: UseCase
) -> None:
    target = use_case.sources.get(reference.source)
    if target is None:
        raise UseCaseError(
            f"{where} names source {reference.source!r}, known are {', '.join(use_case.sources)}"
        )
    types = {column.name: column.type for column in target.columns}
    own = next(column.type for column in source.columns if column.name == reference.column)
    if types.get(reference.key) != own:
        raise UseCaseError(
            f"{where}: key is {reference.key!r}, must be a column of {target.name} of type {own},"
            f" which {reference.column} has"
        )


def _check_unique_inputs(where: str, use_case: UseCase) -> None:
    seen: set[str] = set()
    for field in use_case.input_fields:
        if field.name in seen:
            raise UseCaseError(
                f"{where}: input {field.name!r} stands in two groups; names are unique"
            )
        seen.add(field.name)
