"""The use case that a run serves: its contracts, read from YAML and checked, and its code."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, Protocol, cast

import yaml

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    Columns = Mapping[str, NDArray[np.generic]]

PACKAGE = "use_cases"
SOURCES_FILE = "sources.yaml"
INPUTS_FILE = "inputs.yaml"
MEMBERS_FILE = "members.yaml"

ColumnType = Literal["string", "integer", "number", "timestamp"]
InputType = Literal["string", "integer", "number", "datetime"]
COLUMN_TYPES = ("string", "integer", "number", "timestamp")
INPUT_TYPES = ("string", "integer", "number", "datetime")
GLUE_TYPES = {"string": "string", "integer": "bigint", "number": "double", "timestamp": "string"}
"""Catalog types of a CSV source; Athena reads no ISO 8601 from CSV, so a timestamp is text."""


class UseCaseError(ValueError):
    """A file of the use case is wrong: which, in what field, its value and what is allowed."""


@dataclass(frozen=True)
class Field:
    """What one value may be: a column of a source or an input of a prediction."""

    name: str
    type: str
    nullable: bool
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...]
    unit: str
    description: str


@dataclass(frozen=True)
class Reference:
    """A column whose values must be keys of another source, ``known_absent`` ones aside."""

    column: str
    source: str
    key: str
    known_absent: tuple[str, ...]


@dataclass(frozen=True)
class SourceContract:
    """One raw source: its columns and the rules that each of its records keeps."""

    name: str
    version: int
    group: str
    required: bool
    format: str
    null_value: str
    max_quarantined_share: float
    """More broken records than this, and it is the feed that is broken: the batch is rejected."""
    description: str
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    columns: tuple[Field, ...]

    @property
    def glue_columns(self) -> tuple[tuple[str, str, str], ...]:
        """Name, Glue type and comment of each column, in the order of the contract."""
        return tuple((c.name, GLUE_TYPES[c.type], c.description) for c in self.columns)


@dataclass(frozen=True)
class Period:
    """Calendar months ``YYYY-MM``, both ends included."""

    first: str
    last: str


class FeatureCode(Protocol):
    """The module ``features`` of a use case: row-level transforms on numpy columns."""

    FEATURES: Mapping[str, tuple[str, ...]]
    CATEGORIES: Mapping[str, tuple[str, ...]]

    def row_features(self, columns: Columns) -> dict[str, NDArray[np.generic]]:
        """Turn columns of inputs into columns of features, row by row."""
        ...


class SnapshotCode(Protocol):
    """The module ``snapshots`` of a use case: joins and point-in-time aggregates in Spark."""

    def build_snapshots(
        self, sources: Mapping[str, DataFrame], keep: Callable[[DataFrame], DataFrame]
    ) -> DataFrame:
        """Join the sources into one row an entity: identity, label, slices and inputs.

        ``keep(rows)`` marks an intermediate table that is to be computed once for many uses.
        """
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

    def features(self) -> FeatureCode:
        """Import the row-level transforms (numpy only)."""
        return cast("FeatureCode", importlib.import_module(f"{PACKAGE}.{self.name}.features"))

    def snapshots(self) -> SnapshotCode:
        """Import the joins (needs PySpark)."""
        return cast("SnapshotCode", importlib.import_module(f"{PACKAGE}.{self.name}.snapshots"))

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
    """Read and check the contracts of ``use_cases/<name>/``."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UseCaseError(f"use case {name!r}: a name is lower case letters, digits and _")
    sources = _read(name, SOURCES_FILE)
    inputs = _read(name, INPUTS_FILE)
    members = _read(name, MEMBERS_FILE)
    use_case = UseCase(
        name=name,
        sources={key: _source(key, node) for key, node in sources.items()},
        inputs={
            group: {key: _field(key, node, INPUT_TYPES) for key, node in fields.items()}
            for group, fields in inputs.child("groups").items()
        },
        inputs_version=inputs.integer("version"),
        split={key: _period(node) for key, node in members.child("split").items()},
        slices=members.texts("slices"),
    )
    _check_references(sources.where, use_case)
    _check_unique_inputs(inputs.where, use_case)
    return use_case


class _Node:
    """A mapping in a YAML file that knows where it stands, so that errors can say it."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise UseCaseError(f"{where}: is {value!r}, must be a mapping")
        self.where = where
        self._value: dict[str, object] = value

    def items(self) -> Iterator[tuple[str, _Node]]:
        """Go through the children by name."""
        return ((key, self.child(key)) for key in self._value)

    def child(self, key: str) -> _Node:
        """Take a child that is a mapping."""
        return _Node(f"{self.where}: {key}", self._get(key))

    def children(self, key: str) -> list[_Node]:
        """Read a list of mappings, empty when absent."""
        value = self._value.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list")
        return [_Node(f"{self.where}: {key}[{i}]", item) for i, item in enumerate(value)]

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, value, "text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts, empty when absent."""
        value = self._value.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, value, "a list of texts (quoted)")
        return tuple(value)

    def integer(self, key: str) -> int:
        """Read a whole number."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, value, "a whole number")
        return value

    def share(self, key: str) -> float:
        """Read a share between 0 and 1."""
        value = self._get(key)
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._wrong(key, value, "a number from 0 to 1")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def bounds(self, key: str) -> tuple[float | None, float | None]:
        """Read the two ends of a range, both none when absent."""
        value = self._value.get(key)
        if value is None:
            return None, None
        if not _is_range(value):
            raise self._wrong(key, value, "[lowest, highest]")
        low, high = cast("list[float]", value)
        return low, high

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Read one of the allowed texts."""
        value = self.text(key)
        if value not in allowed:
            raise self._wrong(key, value, f"one of {', '.join(allowed)}")
        return value

    def only(self, allowed: Sequence[str]) -> None:
        """Refuse a key that nothing reads: it is a misspelling."""
        for key in self._value:
            if key not in allowed:
                raise UseCaseError(
                    f"{self.where}: {key} is unknown, allowed are {', '.join(allowed)}"
                )

    def _get(self, key: str, default: object = None) -> object:
        value = self._value.get(key, default)
        if value is None:
            raise UseCaseError(f"{self.where}: {key} is missing")
        return value

    def _wrong(self, key: str, value: object, must_be: str) -> UseCaseError:
        return UseCaseError(f"{self.where}: {key} is {value!r}, must be {must_be}")


def _is_range(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - a range has two ends
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        and value[0] <= value[1]
    )


def _read(use_case: str, file: str) -> _Node:
    where = f"{PACKAGE}/{use_case}/{file}"
    try:
        text = files(f"{PACKAGE}.{use_case}").joinpath(file).read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise UseCaseError(
            f"use case {use_case!r}: there is no folder {PACKAGE}/{use_case}"
        ) from error
    except FileNotFoundError as error:
        raise UseCaseError(f"{where}: the file is missing") from error
    try:
        return _Node(where, yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UseCaseError(f"{where}: is no YAML: {error}") from error


def _field(name: str, node: _Node, types: Sequence[str]) -> Field:
    node.only(("name", "type", "nullable", "range", "allowed", "unit", "description"))
    minimum, maximum = node.bounds("range")
    return Field(
        name=name,
        type=node.choice("type", types),
        nullable=node.flag("nullable", default=False),
        minimum=minimum,
        maximum=maximum,
        allowed=node.texts("allowed"),
        unit=node.text("unit", ""),
        description=node.text("description"),
    )


def _source(name: str, node: _Node) -> SourceContract:
    columns = tuple(_field(c.text("name"), c, COLUMN_TYPES) for c in node.children("columns"))
    contract = SourceContract(
        name=name,
        version=node.integer("version"),
        group=node.text("group"),
        required=node.flag("required", default=True),
        format=node.choice("format", ("csv",)),
        null_value=node.text("null_value", ""),
        max_quarantined_share=node.share("max_quarantined_share"),
        description=node.text("description"),
        key=node.texts("key"),
        references=tuple(_reference(r) for r in node.children("references")),
        columns=columns,
    )
    names = {c.name for c in columns}
    for column in (*contract.key, *(r.column for r in contract.references)):
        if column not in names:
            raise UseCaseError(
                f"{node.where}: key or reference names column {column!r}, which is not in columns"
            )
    if not contract.key:
        raise UseCaseError(f"{node.where}: key is missing: name the columns that identify a record")
    return contract


def _reference(node: _Node) -> Reference:
    return Reference(
        column=node.text("column"),
        source=node.text("source"),
        key=node.text("key"),
        known_absent=node.texts("known_absent"),
    )


def _period(node: _Node) -> Period:
    period = Period(first=node.text("first"), last=node.text("last"))
    for month in (period.first, period.last):
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            raise UseCaseError(f"{node.where}: is {month!r}, must be a month YYYY-MM")
    return period


def _check_references(where: str, use_case: UseCase) -> None:
    for source in use_case.sources.values():
        for reference in source.references:
            if reference.source not in use_case.sources:
                raise UseCaseError(
                    f"{where}: {source.name}: references names source {reference.source!r},"
                    f" known are {', '.join(use_case.sources)}"
                )


def _check_unique_inputs(where: str, use_case: UseCase) -> None:
    seen: set[str] = set()
    for field in use_case.input_fields:
        if field.name in seen:
            raise UseCaseError(
                f"{where}: input {field.name!r} stands in two groups; names are unique"
            )
        seen.add(field.name)
