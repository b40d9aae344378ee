"""The contract of a raw source: what its files, records and columns must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline_code.yaml_node import Node, UseCaseError

ColumnType = Literal["string", "integer", "number", "timestamp"]
InputType = Literal["string", "integer", "number", "datetime"]
COLUMN_TYPES = ("string", "integer", "number", "timestamp")
INPUT_TYPES = ("string", "integer", "number", "datetime")
RAW_TYPE = "string"
"""Catalog type of every column of a raw file: a broken value must be seen as it came."""

SOURCE_KEYS = (
    "version",
    "group",
    "required",
    "format",
    "null_value",
    "arrival",
    "pull",
    "freshness",
    "max_quarantined_share",
    "max_quarantined_files_share",
    "description",
    "key",
    "references",
    "header",
    "columns",
)
FIELD_KEYS = (
    "name",
    "type",
    "nullable",
    "optional",
    "range",
    "allowed",
    "unit",
    "personal",
    "description",
)
PERSONAL_NOTE = "Personal data."
"""What a comment in the catalog says of a column with personal data."""


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
    optional: bool = False
    """Files may lack the column; its values are null then."""
    personal: bool = False
    """Data about a person: its values stand in no statistics and no plot."""


@dataclass(frozen=True)
class Reference:
    """A column whose values must be keys of another source, ``known_absent`` ones aside."""

    column: str
    source: str
    key: str
    known_absent: tuple[str, ...]


@dataclass(frozen=True)
class Freshness:
    """How far the newest record may lie behind the newest record of any source of the batch."""

    column: str
    max_lag_hours: float


@dataclass(frozen=True)
class Pull:
    """Where a source is fetched from and when, if it does not arrive by itself.

    ``uri`` is ``https://…`` or ``s3://bucket/key-or-prefix/``; ``schedule`` is EventBridge's
    ``rate(…)`` or ``cron(…)``.
    """

    uri: str
    schedule: str


@dataclass(frozen=True)
class SourceContract:
    """One raw source: its columns and the rules that each of its files and records keeps."""

    name: str
    version: int
    group: str
    required: bool
    format: str
    null_value: str
    arrival_every: Literal["month"] | None
    """Its files cover calendar months, which their names say; none: one file, a reference."""
    pull: Pull | None
    freshness: Freshness | None
    max_quarantined_share: float
    """More broken records than this, and it is the feed that is broken: the batch is rejected."""
    max_quarantined_files_share: float
    """The same for files that are broken as a whole."""
    description: str
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    columns: tuple[Field, ...]
    header: tuple[str, ...] = ()
    """All columns of a file in their order, where that is not the order of ``columns``."""

    @property
    def glue_columns(self) -> tuple[tuple[str, str, str], ...]:
        """Name, Glue type and comment of each column of a raw file, in the order of the file.

        The catalog tells columns of CSV by their place, the job by the header of each file.
        """
        known = {column.name: column for column in self.columns}
        names = self.header or tuple(known)
        return tuple((name, RAW_TYPE, _comment(known.get(name))) for name in names)


def _comment(column: Field | None) -> str:
    if column is None:
        return "Not in the contract."
    unit = f" in {column.unit}" if column.unit else ""
    note = f" {PERSONAL_NOTE}" if column.personal else ""
    return f"{column.description} ({column.type}{unit}){note}"


def read_field(name: str, node: Node, types: Sequence[str]) -> Field:
    """Read one column or input."""
    node.only(FIELD_KEYS)
    minimum, maximum = node.bounds("range")
    nullable = node.flag("nullable", default=False)
    optional = node.flag("optional", default=False)
    if optional and not nullable:
        raise UseCaseError(f"{node.where}: optional is True, must be False unless nullable is true")
    return Field(
        name=name,
        type=node.choice("type", types),
        nullable=nullable,
        optional=optional,
        minimum=minimum,
        maximum=maximum,
        allowed=node.texts("allowed"),
        unit=node.text("unit", ""),
        description=node.text("description"),
        personal=node.flag("personal", default=False),
    )


def read_source(name: str, node: Node) -> SourceContract:
    """Read one source's contract."""
    node.only(SOURCE_KEYS)
    columns = tuple(read_field(c.text("name"), c, COLUMN_TYPES) for c in node.children("columns"))
    share = node.share("max_quarantined_share")
    files_share = "max_quarantined_files_share"
    contract = SourceContract(
        name=name,
        version=node.integer("version"),
        group=node.text("group"),
        required=node.flag("required", default=True),
        format=node.choice("format", ("csv",)),
        null_value=node.text("null_value", ""),
        arrival_every=_arrival(node),
        pull=_pull(node.child("pull")) if node.has("pull") else None,
        freshness=_freshness(node.child("freshness")) if node.has("freshness") else None,
        max_quarantined_share=share,
        max_quarantined_files_share=node.share(files_share) if node.has(files_share) else share,
        description=node.text("description"),
        key=node.texts("key"),
        references=tuple(_reference(r) for r in node.children("references")),
        columns=columns,
        header=node.texts("header"),
    )
    _check_columns(node.where, contract)
    return contract


def _arrival(node: Node) -> Literal["month"] | None:
    if not node.has("arrival"):
        return None
    arrival = node.child("arrival")
    arrival.only(("every",))
    arrival.choice("every", ("month",))
    return "month"


def _pull(node: Node) -> Pull:
    node.only(("uri", "schedule"))
    return Pull(
        uri=node.matching(
            "uri",
            r"(https://|http://(127\.0\.0\.1|localhost)[:/]|s3://[a-z0-9.-]+/)\S+",
            "https://… or s3://bucket/… (http:// to this machine alone)",
        ),
        schedule=node.matching("schedule", r"(rate|cron)\(.+\)", "rate(…) or cron(…)"),
    )


def _freshness(node: Node) -> Freshness:
    node.only(("column", "max_lag_hours"))
    return Freshness(column=node.text("column"), max_lag_hours=node.hours("max_lag_hours"))


def _reference(node: Node) -> Reference:
    node.only(("column", "source", "key", "known_absent"))
    return Reference(
        column=node.text("column"),
        source=node.text("source"),
        key=node.text("key"),
        known_absent=node.texts("known_absent"),
    )


def _check_columns(where: str, contract: SourceContract) -> None:
    types = {column.name: column.type for column in contract.columns}
    named = [*contract.key, *(reference.column for reference in contract.references)]
    for column in named:
        if column not in types:
            raise UseCaseError(
                f"{where}: key or reference names column {column!r}, which is not in columns"
            )
    if not contract.key:
        raise UseCaseError(f"{where}: key is missing: name the columns that identify a record")
    if len(types) < len(contract.columns):
        raise UseCaseError(f"{where}: columns holds a name twice; names are unique")
    _check_header(where, contract)
    fresh = contract.freshness
    if fresh and types.get(fresh.column) != "timestamp":
        raise UseCaseError(
            f"{where}: freshness: column is {fresh.column!r}, must be a column of type timestamp"
        )


def _check_header(where: str, contract: SourceContract) -> None:
    header = contract.header
    lacking = [c.name for c in contract.columns if header and c.name not in header]
    if lacking or len(set(header)) < len(header):
        raise UseCaseError(
            f"{where}: header lacks {', '.join(lacking) or 'nothing, but holds a name twice'};"
            " it names every column of a file once, in the order of the file"
        )
