"""The tables of ``decision.yaml``: ``python -m use_cases.flight_delays.bench.outlook PREDICTIONS``.

Severity from the training months; the usual probabilities from what the ensemble said out of fold
of April to October, as the means of ten equal parts by airport and hour.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

PARTS = 10
HOURS = range(24)
RARE = 200
"""Hours with fewer departures take the figures of all hours."""


def tables(predictions: Path) -> str:
    """Write both tables as YAML."""
    rows = pl.read_parquet(predictions)
    late = rows.filter((pl.col("period") <= "2013-09") & (pl.col("label") == 1))
    severity = {hour: _severity(late, hour) for hour in HOURS}
    lines = ["  # Minutes late when late (at most 240; 240 when cancelled), by scheduled hour."]
    lines.append(f"  severity_minutes: {_flow(severity)}")
    lines.append("# What is usually predicted, by airport and scheduled hour.")
    lines.append("outlook:")
    known = rows.filter(pl.col("period") <= "2013-10").drop_nulls("probability")
    for (origin,), mine in sorted(known.group_by("origin")):
        lines.append(f"  {origin}:")
        lines.extend(f"    {hour}: {_usual(mine, hour)}" for hour in HOURS)
    return "\n".join(lines) + "\n"


def _severity(late: pl.DataFrame, hour: int) -> float:
    mine = late.filter(pl.col("hour") == hour)
    chosen = mine if mine.height >= RARE else late
    return round(float(chosen["minutes_late"].to_numpy().mean()), 1)


def _usual(rows: pl.DataFrame, hour: int) -> list[float]:
    mine = rows.filter(pl.col("hour") == hour)
    chosen = mine if mine.height >= RARE else rows
    ordered = np.sort(chosen["probability"].to_numpy())
    return [round(float(part.mean()), 3) for part in np.array_split(ordered, PARTS)]


def _flow(table: dict[int, float]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in table.items()) + "}"


if __name__ == "__main__":
    sys.stdout.write(tables(Path(sys.argv[1])))
