"""A published dataset as the working copy of its use case computes it, from the same inputs.

The feature store holds the inputs of every row; the working copy's formulas make features of them,
as the data pipeline and the endpoint would. Joins are the data pipeline's: what they make
is taken as it is.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    MANIFEST_NAME,
    PERIOD_COLUMN,
    SAMPLE_REQUESTS_NAME,
    feature_group_name,
)
from pipeline_code.formulas.expressions import FormulaError
from pipeline_code.formulas.features import Features
from pipeline_code.source_contract import Field
from pipeline_code.use_case import UseCase

Array = npt.NDArray[Any]

WRITE_TIME = "write_time"
TEXTS = ("string", "datetime")
FEATURES_FILE = "features.py"


class WorkingCopyError(ValueError):
    """The working copy and the dataset do not fit; the message names the file and the field."""


@dataclass
class FeatureChanges:
    """What the working copy computes otherwise than the dataset holds it."""

    rows: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    """Features of which some rows differ, and how many."""
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def touched(self) -> frozenset[str]:
        """Features that members may not be reused with."""
        return frozenset((*self.changed, *self.added, *self.removed))


@dataclass(frozen=True)
class _Group:
    """The inputs of one group, one row an entity, sorted by entity."""

    entities: npt.NDArray[np.str_]
    rows: pa.Table

    def places(self, wanted: npt.NDArray[np.str_]) -> pa.Array:
        """Find the wanted entities' rows; null for an entity whose source is missing."""
        if not len(self.entities):
            return pa.nulls(len(wanted), pa.int64())
        place = np.minimum(np.searchsorted(self.entities, wanted), len(self.entities) - 1)
        return pa.array(place, mask=self.entities[place] != wanted)


class StoredInputs:
    """What the offline feature store told of a use case's entities up to a time.

    ``folder`` holds a folder a feature group, named as the group.
    """

    def __init__(self, folder: Path, prefix: str, use_case: UseCase, as_of: datetime) -> None:
        self._folder = folder
        self._prefix = prefix
        self._use_case = use_case
        self._as_of = as_of

    def columns(self, entities: npt.NDArray[np.str_]) -> dict[str, Array]:
        """Give the inputs of entities, as ``row_features`` takes them."""
        found: dict[str, Array] = {}
        for group, fields in self._use_case.inputs.items():
            stored = self._groups[group]
            places = stored.places(entities)
            if group == self._use_case.required_group and places.null_count:
                raise WorkingCopyError(
                    f"the feature group {self._name(group)} lacks {places.null_count} of "
                    f"{len(entities)} rows of the dataset: ingest its sources again"
                )
            found |= {
                name: _column(stored.rows.column(name).take(places), one)
                for name, one in fields.items()
            }
        return found

    @cached_property
    def _groups(self) -> dict[str, _Group]:
        return {group: self._read(group) for group in self._use_case.inputs}

    def _name(self, group: str) -> str:
        return feature_group_name(self._prefix, group, self._use_case.inputs_version)

    def _read(self, group: str) -> _Group:
        fields = list(self._use_case.inputs[group])
        paths = sorted((self._folder / self._name(group)).rglob("*.parquet"))
        if not paths:
            raise WorkingCopyError(
                f"use_cases/{self._use_case.name}/inputs.yaml: version "
                f"{self._use_case.inputs_version}: the feature group {self._name(group)} holds "
                "nothing yet; the data pipeline fills it: fourblocks ingest"
            )
        for path in paths:
            self._check_fields(group, path)
        wanted = [ENTITY_COLUMN, WRITE_TIME, *fields]
        rows = pa.concat_tables(
            [pq.read_table(path, columns=wanted, partitioning=None) for path in paths],
            promote_options="permissive",
        )
        rows = rows.filter(pc.less_equal(rows.column(WRITE_TIME), pa.scalar(self._as_of)))
        rows = rows.sort_by([(ENTITY_COLUMN, "ascending"), (WRITE_TIME, "ascending")])
        names = np.asarray(rows.column(ENTITY_COLUMN).to_pylist(), dtype=np.str_)
        newest = np.append(names[1:] != names[:-1], True) if len(names) else np.zeros(0, np.bool_)
        return _Group(names[newest], rows.filter(pa.array(newest)).combine_chunks())

    def _check_fields(self, group: str, path: Path) -> None:
        held = set(pq.read_schema(path).names)
        for name in self._use_case.inputs[group]:
            if name not in held:
                raise WorkingCopyError(
                    f"use_cases/{self._use_case.name}/inputs.yaml: groups.{group}.{name}: the "
                    "feature store has no such input yet; the data pipeline's next run makes it: "
                    "fourblocks ingest"
                )


def recompute(dataset: Path, inputs: StoredInputs, use_case: UseCase, into: Path) -> FeatureChanges:
    """Write the dataset with the working copy's features to ``into``, and say what differs.

    Rows keep their order, the copy its dataset's id: it differs in features alone.
    """
    changes = FeatureChanges()
    kept = {ENTITY_COLUMN, EVENT_TIME_COLUMN, LABEL_COLUMN, *use_case.slices}
    made = _made(use_case)
    for path in sorted(dataset.glob(f"split=*/{PERIOD_COLUMN}=*/*.parquet")):
        table = pq.read_table(path, partitioning=None)
        entities = np.asarray(table.column(ENTITY_COLUMN).to_pylist(), dtype=np.str_)
        features = computed(use_case, inputs.columns(entities))
        _note(changes, table, features, kept)
        target = into / path.relative_to(dataset)
        target.parent.mkdir(parents=True)
        own = [name for name in table.column_names if name in kept or name not in made]
        own = [name for name in own if name not in changes.removed]
        arrays = {name: table.column(name) for name in own if name not in features}
        arrays |= {name: pa.array(features[name], from_pandas=True) for name in made}
        pq.write_table(pa.table(arrays), target)
    for name in (MANIFEST_NAME, SAMPLE_REQUESTS_NAME):
        shutil.copyfile(dataset / name, into / name)
    return changes


def _made(use_case: UseCase) -> list[str]:
    return [name for group in checked_features(use_case).FEATURES.values() for name in group]


def _note(
    changes: FeatureChanges, table: pa.Table, features: Mapping[str, Array], kept: set[str]
) -> None:
    held = [name for name in table.column_names if name not in kept]
    changes.rows += table.num_rows
    changes.added = [name for name in features if name not in held]
    changes.removed = [name for name in held if name not in features]
    for name in held:
        if name in features:
            before = table.column(name).combine_chunks().to_numpy(zero_copy_only=False)
            rows = _different(before, features[name])
            if rows:
                changes.changed[name] = changes.changed.get(name, 0) + rows


def _different(before: Array, after: Array) -> int:
    first, second = before.astype(np.float64), after.astype(np.float64)
    equal = (first == second) | (np.isnan(first) & np.isnan(second))
    return int(np.count_nonzero(~equal))


def computed(use_case: UseCase, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Carry out the working copy's formulas."""
    try:
        return dict(checked_features(use_case).row_features(columns))
    except FormulaError as error:
        raise WorkingCopyError(f"{_file(use_case)}: {error}") from error


def checked_features(use_case: UseCase) -> Features:
    """Import the working copy's formulas; what is wrong with them is told by file and line."""
    try:
        return use_case.features()
    except Exception as error:
        raise WorkingCopyError(
            f"{_file(use_case)}{_line_of(error, use_case)}: {type(error).__name__}: {error}"
        ) from error


def _file(use_case: UseCase) -> str:
    return f"use_cases/{use_case.name}/{FEATURES_FILE}"


def _line_of(error: BaseException, use_case: UseCase) -> str:
    """Give the line of the use case's own file that an error came out of, if it came out of one."""
    lines = [error.lineno] if isinstance(error, SyntaxError) else []
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).parts[-2:] == (use_case.name, FEATURES_FILE):
            lines.append(frame.lineno)
    return f":{lines[-1]}" if lines else ""


def _column(values: pa.ChunkedArray, one: Field) -> Array:
    """Make an input column as ``use_case.as_column`` makes it of JSON values."""
    whole = values.combine_chunks()
    if one.type in TEXTS:
        return np.asarray(whole.to_numpy(zero_copy_only=False))
    return np.asarray(whole.cast(pa.float64()).to_numpy(zero_copy_only=False))


def check_names(
    document: Mapping[str, Any], use_case: UseCase, columns: Sequence[str], file: str
) -> None:
    """Refuse a member's feature that nobody makes, and a slice that the dataset lacks."""
    made = set(_made(use_case))
    for place, name in _read_names(document):
        if name not in made:
            raise WorkingCopyError(
                f"{file}: {place} names {name!r}, which "
                f"use_cases/{use_case.name}/features.py does not make"
            )
    for name in document["slices"]:
        if name not in columns:
            raise WorkingCopyError(
                f"{file}: slices names {name!r}, a column that the dataset lacks; "
                "the data pipeline's next run makes it: fourblocks ingest"
            )


def _read_names(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every feature that a member reads, and where it is named."""
    for index, member in enumerate(document["members"]):
        for part in ("features", "context"):
            yield from ((f"members[{index}].{part}", name) for name in member.get(part, []))
