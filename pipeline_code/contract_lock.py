"""The lock of a use case's contracts: what was accepted last, and which changes of it break."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Literal, NamedTuple, TypedDict, cast

from pipeline_code.source_contract import Field, SourceContract
from pipeline_code.yaml_node import PACKAGE, UseCaseError

LOCK_FILE = "contracts.lock.json"
INPUTS = "inputs"
"""The lock's name of the contract of a request; no source may have it."""
SOURCES_FILE = "sources.yaml"
FILES = {INPUTS: "inputs.yaml"}


class LockedColumn(TypedDict):
    """What a column or an input was accepted as."""

    type: str
    nullable: bool
    optional: bool
    range: list[float | None]
    allowed: list[str]
    unit: str
    personal: bool


class LockedContract(TypedDict):
    """What a contract was accepted as, as far as a change of it can break something."""

    version: int
    rules: dict[str, object]
    """Values of which any change breaks."""
    max_lag_hours: float | None
    references: dict[str, list[str]]
    """Values known to be absent, by ``column -> source.key``."""
    columns: dict[str, LockedColumn]
    digests: dict[str, str]
    """Digest of each version that was accepted."""


Lock = dict[str, LockedContract]


class Change(NamedTuple):
    """One change that breaks what kept the contract before."""

    field: str
    text: str


def lock_source(source: SourceContract) -> LockedContract:
    """Spell a source's contract as the lock has it."""
    references = {
        f"{one.column} -> {one.source}.{one.key}": sorted(one.known_absent)
        for one in source.references
    }
    rules: dict[str, object] = {
        "format": source.format,
        "null_value": source.null_value,
        "required": source.required,
        "arrival": source.arrival_every,
        "key": list(source.key),
    }
    lag = source.freshness.max_lag_hours if source.freshness else None
    columns = {column.name: _lock_column(column) for column in source.columns}
    return _locked(source.version, rules, lag, references, columns)


def lock_inputs(version: int, groups: Mapping[str, Mapping[str, Field]]) -> LockedContract:
    """Spell the contract of a request; an input that may be null may be left out."""
    columns = {
        f"{group}.{name}": _lock_column(field) | {"optional": field.nullable}
        for group, fields in groups.items()
        for name, field in fields.items()
    }
    return _locked(version, {}, None, {}, columns)


def read_lock(use_case: str) -> Lock:
    """Read what was accepted last; nothing when there is no lock yet."""
    try:
        text = files(f"{PACKAGE}.{use_case}").joinpath(LOCK_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        return cast("Lock", json.loads(text))
    except json.JSONDecodeError as error:
        raise UseCaseError(f"{PACKAGE}/{use_case}/{LOCK_FILE}: is no JSON: {error}") from error


def check_lock(use_case: str, contracts: Mapping[str, LockedContract]) -> None:
    """Refuse contracts that break what was accepted, or whose new version was not accepted.

    Raises:
        UseCaseError: it names the source, the field, and what to do.

    """
    for name, old in read_lock(use_case).items():
        where = f"{PACKAGE}/{use_case}/{FILES.get(name, SOURCES_FILE)}: {name}"
        if name not in contracts:
            raise UseCaseError(
                f"{where}: is gone, version {old['version']} was accepted; accept that:"
                f" python -m pipeline_code.contracts accept {use_case}"
            )
        _check_contract(use_case, where, old, contracts[name])


def accepted(use_case: str, contracts: Mapping[str, LockedContract]) -> Lock:
    """Make the lock of contracts whose breaking changes have a higher version.

    Raises:
        UseCaseError: a change breaks and the version is not higher, or it is lower.

    """
    lock: Lock = {}
    for name, new in contracts.items():
        old = read_lock(use_case).get(name)
        if old:
            where = f"{PACKAGE}/{use_case}/{FILES.get(name, SOURCES_FILE)}: {name}"
            _check_version(where, old, new)
        digests = (old["digests"] if old else {}) | {str(new["version"]): digest_of(new)}
        lock[name] = {**new, "digests": digests}
    return lock


def spell(lock: Lock) -> str:
    """Write a lock with a line a column, so that a change of it reads well."""
    contracts = (f"{json.dumps(name)}: {_spell_contract(lock[name])}" for name in sorted(lock))
    return "{\n" + ",\n".join(contracts) + "\n}\n"


def _spell_contract(contract: LockedContract) -> str:
    columns = (
        f"  {json.dumps(name)}: {json.dumps(column, sort_keys=True)}"
        for name, column in sorted(contract["columns"].items())
    )
    rest = {name: value for name, value in contract.items() if name != "columns"}
    lines = [f" {json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(rest.items())]
    listed = ",\n".join(columns)
    return "{\n" + ",\n".join([*lines, f' "columns": {{\n{listed}\n }}']) + "\n}"


def _check_contract(use_case: str, where: str, old: LockedContract, new: LockedContract) -> None:
    _check_version(where, old, new)
    if new["version"] != old["version"]:
        raise UseCaseError(
            f"{where}: version is {new['version']}, accepted is {old['version']}; accept it:"
            f" python -m pipeline_code.contracts accept {use_case}"
        )


def _check_version(where: str, old: LockedContract, new: LockedContract) -> None:
    if new["version"] < old["version"]:
        raise UseCaseError(
            f"{where}: version is {new['version']}, must be {old['version']} or higher"
        )
    broken = "; ".join(f"{change.field} {change.text}" for change in breaking_changes(old, new))
    if broken and new["version"] == old["version"]:
        raise UseCaseError(
            f"{where}: {broken}. This breaks version {old['version']}: raise version to"
            f" {old['version'] + 1}, or take the change back"
        )


def digest_of(contract: LockedContract) -> str:
    """Name what is locked."""
    content = {name: value for name, value in contract.items() if name != "digests"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def breaking_changes(old: LockedContract, new: LockedContract) -> Iterator[Change]:
    """List what files or requests that kept the old contract may break in the new."""
    for name, value in new["rules"].items():
        before = old["rules"].get(name)
        if value != before:
            yield Change(name, f"is {value!r}, was {before!r}")
    if _narrower([None, old["max_lag_hours"]], [None, new["max_lag_hours"]]):
        lags = new["max_lag_hours"], old["max_lag_hours"]
        yield Change("freshness", "max_lag_hours is {}, was {}".format(*lags))
    yield from _reference_changes(old["references"], new["references"])
    yield from _columns_changes(old["columns"], new["columns"])


def _locked(
    version: int,
    rules: dict[str, object],
    max_lag_hours: float | None,
    references: dict[str, list[str]],
    columns: dict[str, LockedColumn],
) -> LockedContract:
    made = LockedContract(
        version=version,
        rules=rules,
        max_lag_hours=max_lag_hours,
        references=references,
        columns=columns,
        digests={},
    )
    made["digests"] = {str(version): digest_of(made)}
    return made


def _lock_column(field: Field) -> LockedColumn:
    return LockedColumn(
        type=field.type,
        nullable=field.nullable,
        optional=field.optional,
        range=[field.minimum, field.maximum],
        allowed=sorted(field.allowed),
        unit=field.unit,
        personal=field.personal,
    )


def _reference_changes(
    old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]
) -> Iterator[Change]:
    for name, absent in new.items():
        if name not in old:
            yield Change(name, "is a new reference")
        elif gone := sorted(set(old[name]) - set(absent)):
            yield Change(name, f"known_absent lacks {', '.join(gone)}")


def _columns_changes(
    old: Mapping[str, LockedColumn], new: Mapping[str, LockedColumn]
) -> Iterator[Change]:
    for name, column in old.items():
        if name not in new:
            yield Change(name, "is gone")
        else:
            yield from _column_changes(name, column, new[name])
    for name, column in new.items():
        if name not in old and not column["optional"]:
            yield Change(name, "is new and not optional")


def _column_changes(name: str, old: LockedColumn, new: LockedColumn) -> Iterator[Change]:
    what: Literal["type", "unit"]
    for what in ("type", "unit"):
        if old[what] != new[what]:
            yield Change(name, f"{what} is {new[what]!r}, was {old[what]!r}")
    flag: Literal["nullable", "optional", "personal"]
    for flag in ("nullable", "optional", "personal"):
        if old[flag] and not new[flag]:
            yield Change(name, f"{flag} is false, was true")
    if _narrower(old["range"], new["range"]):
        yield Change(name, f"range is {new['range']}, was {old['range']}")
    yield from _allowed_changes(name, old["allowed"], new["allowed"])


def _allowed_changes(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    if new and not (old and set(old) <= set(new)):
        gone = ", ".join(sorted(set(old) - set(new))) or "what is not listed"
        yield Change(name, f"allowed lacks {gone}")


def _narrower(old: Sequence[float | None], new: Sequence[float | None]) -> bool:
    """Tell whether a value can be in the old range and not in the new; none is no end."""
    (old_low, old_high), (new_low, new_high) = old, new
    low = new_low is not None and (old_low is None or new_low > old_low)
    high = new_high is not None and (old_high is None or new_high < old_high)
    return low or high
