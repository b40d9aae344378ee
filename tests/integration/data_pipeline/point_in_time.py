"""Scrambles every fact of source rows that nobody can know at a cutoff."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from pipeline_code.data_pipeline.transform_job import start_session
from pipeline_code.use_case import load_use_case
from tests.integration.data_pipeline.runs import Rows
from use_cases.flight_delays import fetch

USE_CASE = load_use_case("flight_delays")
TYPES = {"string": "string", "integer": "bigint", "number": "double", "timestamp": "timestamp"}
OUTCOMES = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
OBSERVED = (
    "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib",
)  # fmt: skip
CANCELLATION_KNOWN_MINUTES = 360
LEAD = timedelta(hours=2)


def read_year(folder: Path) -> dict[str, Rows]:
    """Source rows of the year by source, header first."""
    rows: dict[str, Rows] = {}
    for file in fetch.fetch(folder, ("2013-01", "2013-12"), fetch.find_data()):
        with gzip.open(file, "rt", newline="") as text:
            header, *body = csv.reader(text)
        rows.setdefault(file.parent.name, [header]).extend(body)
    return rows


def read_sources(spark, raw: Mapping[str, Rows], folder: Path) -> dict[str, DataFrame]:
    """Raw rows as typed tables."""
    sources = {}
    for name, contract in USE_CASE.sources.items():
        header, *body = raw[name]
        columns = zip(*([None if v == "NA" else v for v in row] for row in body), strict=True)
        file = folder / f"{name}.parquet"
        pq.write_table(pa.table(dict(zip(header, map(list, columns), strict=True))), file)
        typed = [F.col(c.name).cast(TYPES[c.type]).alias(c.name) for c in contract.columns]
        sources[name] = spark.read.parquet(str(file)).select(*typed)
    return sources


def build(spark, raw: Mapping[str, Rows], folder: Path):
    """Snapshots of raw rows as a frame, by entity."""
    start_session()
    sources = read_sources(spark, raw, folder)
    snapshots = USE_CASE.snapshots().build_snapshots(sources, DataFrame.persist)
    snapshots.write.parquet(f"{folder}/snapshots")
    spark.catalog.clearCache()
    frame = pq.read_table(f"{folder}/snapshots").to_pandas().set_index("entity_id").sort_index()
    return frame.assign(event_time=frame.event_time.dt.tz_localize("UTC"))


def minutes(row: Mapping[str, str]) -> datetime:
    """Scheduled departure, UTC."""
    hour = datetime.fromisoformat(row["time_hour"])
    return hour + timedelta(minutes=int(row["minute"]))


def scrambled(
    raw: Mapping[str, Rows], blocks: Mapping[str, int], cutoffs: Sequence[datetime]
) -> dict[str, Rows]:
    """Change what cannot be seen at the cutoff that a record is nearest to.

    That is delays and arrivals still to come, cancellations not yet known, later observations, and
    the tails of later decisions; ``blocks`` are the scheduled minutes from gate to gate.
    """
    rng = np.random.default_rng(5)
    header, *rows = raw["flights"]
    tails = [row[header.index("tailnum")] for row in rows]
    changed = [
        _scramble(dict(zip(header, row, strict=True)), blocks, tails, cutoffs, rng) for row in rows
    ]
    weather_header, *weather = raw["weather"]
    time = weather_header.index("time_hour")
    places = [weather_header.index(name) for name in OBSERVED]
    for number, row in enumerate(weather):
        observed = datetime.fromisoformat(row[time])
        if observed >= _nearest(observed, cutoffs):
            noise = {place: str(rng.uniform(1, 50)) for place in places}
            weather[number] = [noise.get(place, value) for place, value in enumerate(row)]
    return {
        **raw,
        "flights": [header, *([row[name] for name in header] for row in changed)],
        "weather": [weather_header, *weather],
    }


def _nearest(time: datetime, cutoffs: Sequence[datetime]) -> datetime:
    return min(cutoffs, key=lambda cutoff: abs(cutoff - time))


def _scramble(
    row: dict[str, str],
    blocks: Mapping[str, int],
    tails: Sequence[str],
    cutoffs: Sequence[datetime],
    rng,
) -> dict[str, str]:
    cutoff = _nearest(minutes(row), cutoffs)
    since = (cutoff - minutes(row)).total_seconds() / 60
    block = blocks[f"{row['time_hour']}/{row['carrier']}/{row['flight']}"]
    noise = int(rng.integers(1, 300))
    unseen_arrival = str(max(int(since) - block, -40) + noise)
    if _departure_unknown(row, since):
        row |= {"dep_time": "1", "dep_delay": str(max(int(since), -40) + noise)}
        row["arr_delay"] = unseen_arrival
        if since < CANCELLATION_KNOWN_MINUTES and rng.random() < 0.1:
            row |= dict.fromkeys(OUTCOMES, "NA")
    elif row["arr_delay"] != "NA" and block + int(row["arr_delay"]) > since:
        row["arr_delay"] = unseen_arrival
    if datetime.fromisoformat(row["time_hour"]) - LEAD > cutoff:
        row["tailnum"] = str(rng.choice(tails))
    return row


def _departure_unknown(row: Mapping[str, str], since: float) -> bool:
    if row["dep_delay"] == "NA":
        return since < CANCELLATION_KNOWN_MINUTES
    return int(row["dep_delay"]) > since
