"""What a local change did: features, quality beside the champion's, the verdict it would get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

METRICS = {"auc": "AUC", "log_loss": "log loss", "brier": "Brier"}
SLICES_SHOWN = 8
NAMES_SHOWN = 6
VERDICTS = {
    "promoted": "it would be promoted",
    "rejected": "it would be rejected",
    "needs_approval": "a person would have to decide",
}
NOTHING = ("", "", "", "")


def changes_lines(changes: dict[str, Any], trained: list[str], taken: list[str]) -> list[str]:
    """Say which features differ from the champion's dataset, and what was trained for it."""
    parts = [f"{name} in {rows} of {changes['rows']} rows" for name, rows in _largest(changes)]
    hidden = len(changes["changed"]) - len(parts)
    return [
        f"  features computed otherwise: {_listed(parts, hidden)}",
        f"  new features: {_listed(changes['added'])}; gone: {_listed(changes['removed'])}",
        f"  trained here: {_listed(trained)}; as the champion's: {_listed(taken)}",
    ]


def _largest(changes: dict[str, Any]) -> list[tuple[str, int]]:
    found = sorted(changes["changed"].items(), key=lambda item: (-item[1], item[0]))
    return found[:NAMES_SHOWN]


def _listed(names: list[str], hidden: int = 0) -> str:
    more = f" and {hidden} more" if hidden else ""
    return (", ".join(names) or "none") + more


def comparison_table(
    evaluation: dict[str, Any], champion_version: int, before: dict[str, Any]
) -> Table:
    """Set the candidate beside the champion; a gain is positive when the candidate is better.

    ``before`` is the champion's own evaluation, for what is measured of a challenger alone.
    """
    headers = ("", f"version {champion_version}", "candidate", "gain", "95 % interval", "chance")
    table = Table("on the test rows", *headers[1:], box=None)
    for row in (
        *_overall(evaluation),
        *_members(evaluation),
        *_without(evaluation, before),
        *_slices(evaluation),
    ):
        table.add_row(*row)
    return table


def _overall(evaluation: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    champion, candidate = evaluation["champion"], evaluation["challenger"]
    gains = evaluation["comparison"]["metrics"]
    for key, name in METRICS.items():
        gain = gains[key]
        yield (
            name,
            f"{champion[key]:.4f}",
            f"{candidate[key]:.4f}",
            _signed(gain["gain"]),
            _interval(gain),
            f"{gain['chance']:.0%}",
        )
    yield ("ECE", f"{champion['ece']:.4f}", f"{candidate['ece']:.4f}", "", "", "")


def _members(evaluation: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    gains = evaluation["comparison"]["members"]
    for name, metrics in evaluation["members"].items():
        auc = metrics["auc"]
        if name not in gains:
            yield (f"member {name} AUC", "-", f"{auc:.4f}", "new", "", "")
            continue
        gain = gains[name]
        yield (f"member {name} AUC", f"{auc - gain:.4f}", f"{auc:.4f}", _signed(gain), "", "")


def _without(evaluation: dict[str, Any], before: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Compare without each source, where the champion was measured on the same rows."""
    same = before.get("dataset_id") == evaluation["dataset_id"]
    earlier = before.get("without_source", {}) if same else {}
    for name, metrics in evaluation["without_source"].items():
        auc = metrics["auc"]
        known = earlier.get(name, {}).get("auc")
        gain = "" if known is None else _signed(auc - known)
        was = "-" if known is None else f"{known:.4f}"
        yield (f"without {name} AUC", was, f"{auc:.4f}", gain, "", "")


def _slices(evaluation: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Show the slices whose log loss moved beyond chance, those that moved most first."""
    moved = [
        (column, value, gain)
        for column, values in evaluation["comparison"]["slices"].items()
        for value, gain in values.items()
        if gain["low"] > 0 or gain["high"] < 0
    ]
    moved.sort(key=lambda one: -abs(one[2]["gain"]))
    if not moved:
        yield ("no slice moved beyond chance", "", *NOTHING)
    for column, value, gain in moved[:SLICES_SHOWN]:
        was = evaluation["champion_slices"][column][value]["log_loss"]
        now = evaluation["slices"][column][value]["log_loss"]
        yield (
            f"{column}={value} log loss",
            f"{was:.4f}",
            f"{now:.4f}",
            _signed(gain["gain"]),
            _interval(gain),
            f"{gain['chance']:.0%}",
        )


def _interval(gain: dict[str, float]) -> str:
    return f"{_signed(gain['low'])} to {_signed(gain['high'])}"


def _signed(value: float) -> str:
    """Write a difference; one that is too small to show is no loss."""
    return f"{round(value, 4) + 0.0:+.4f}"


def verdict_lines(verdict: dict[str, Any]) -> list[str]:
    """Say what the judge would say, and every rule that is broken."""
    broken = [rule["reason"] for rule in verdict["rules"] if not rule["passed"]]
    kept = len(verdict["rules"]) - len(broken)
    lines = [f"  verdict: {VERDICTS[verdict['verdict']]}; {kept} rules kept, {len(broken)} broken"]
    return [*lines, *(f"    {reason}" for reason in broken)]
