"""One line of an estimate: so much of something, at a price."""

from __future__ import annotations

from typing import Any, NamedTuple

from cli.cost.prices import Price


class Line(NamedTuple):
    """So much of one thing in a month."""

    block: str
    kind: str
    quantity: float
    price: Price
    idle: bool = False
    """It is paid even when nobody uses the platform."""

    @property
    def usd(self) -> float:
        """Return what it costs a month."""
        return self.quantity * self.price.usd

    def document(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "block": self.block,
            "kind": self.kind,
            "quantity": round(self.quantity, 6),
            "unit": self.price.per,
            "usd_per_unit": self.price.usd,
            "usd": round(self.usd, 4),
            "idle": self.idle,
        }


def added_up(lines: list[Line]) -> list[Line]:
    """Make one line of those that differ in nothing but their quantity."""
    found: dict[tuple[str, str, Price, bool], float] = {}
    for line in lines:
        key = (line.block, line.kind, line.price, line.idle)
        found[key] = found.get(key, 0.0) + line.quantity
    return [
        Line(block, kind, much, price, idle) for (block, kind, price, idle), much in found.items()
    ]
