"""A year's predictions: ``python -m use_cases.flight_delays.bench.predictions OUT``.

The sources, the features that polars makes of them (equal to Spark's), the members and the stacker
as the training jobs fit them, and what each says of months that it had not seen: out of fold for
April to October, held out for November and December.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline_code.data_pipeline.contract import PERIOD_COLUMN
from pipeline_code.inference.booster import Booster
from pipeline_code.inference.ensemble import any_known
from pipeline_code.training_pipeline.checkpoints import Checkpoints
from pipeline_code.training_pipeline.config_document import parse_ensemble_config
from pipeline_code.training_pipeline.dataset import Rows
from pipeline_code.training_pipeline.ensemble_config import DEFAULT_FILE, EnsembleConfig
from pipeline_code.training_pipeline.member_training import train_member
from pipeline_code.training_pipeline.metrics import metrics_of, sigmoid
from pipeline_code.training_pipeline.out_of_fold import OutOfFold
from pipeline_code.training_pipeline.stacking import StackWeights, fit_stackers, join_out_of_fold
from use_cases.flight_delays.bench import polars_run
from use_cases.flight_delays.bench.years import write_years

Floats = NDArray[np.float64]
Scores = Mapping[str, tuple[Floats, NDArray[np.bool_]]]

WORST_MINUTES = 240
SHRINKAGE = 50


def write_predictions(out: Path) -> None:
    """Write ``out``: a row a flight with its facts, its probabilities and what became of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_years(folder, 1)
        polars_run.main(folder, folder)
        facts = _facts(folder)
        table = pq.read_table(folder / "features.parquet")
    rows = facts.join(pl.DataFrame({"entity_id": table.column("entity_id").to_numpy()}),
                      on="entity_id", how="right", maintain_order="right")  # fmt: skip
    table = table.append_column(PERIOD_COLUMN, rows["period"].to_arrow().cast(pa.string()))
    probability, log = _ensemble(table)
    sys.stderr.write("".join(f"{line}\n" for line in log))
    seats = table.column("aircraft_seats").to_numpy()
    made = rows.with_columns(
        label=pl.Series(table.column("label").to_numpy()).cast(pl.Int8),
        seats=pl.Series(seats).cast(pl.Float64).fill_nan(None),
        probability=pl.Series(probability).fill_nan(None),
    )
    _with_look_up_table(made).write_parquet(out)


def _facts(sources: Path) -> pl.DataFrame:
    """Read what is known of each flight and of its end."""
    raw = pl.concat(
        pl.read_csv(file, null_values="NA", infer_schema_length=None)
        for file in sorted((sources / "flights").iterdir())
    )
    late = pl.col("arr_delay").fill_null(WORST_MINUTES).clip(0, WORST_MINUTES)
    return raw.select(
        entity_id=pl.concat_str("time_hour", "carrier", "flight", separator="/"),
        period=pl.format("{}-{}", "year", pl.col("month").cast(pl.String).str.zfill(2)),
        day=pl.date("year", "month", "day"),
        hour=pl.col("hour").cast(pl.Int16),
        minute=pl.col("minute").cast(pl.Int16),
        origin="origin",
        carrier="carrier",
        minutes_late=late.cast(pl.Float64),
    )


def _ensemble(table: pa.Table) -> tuple[Floats, list[str]]:
    """Give the ensemble's probability of every row that it had not seen, else NaN."""
    config = _config()
    months = np.asarray(table.column(PERIOD_COLUMN).to_pylist())
    seen = _where(table, months <= config.split["validation"].last)
    ahead = _where(table, months > config.split["validation"].last)
    log: list[str] = []
    fold: dict[str, OutOfFold] = {}
    test: dict[str, tuple[Floats, NDArray[np.bool_]]] = {}
    for member in config.members:
        trained = train_member(
            config, member, seen, threads=1, progress=log.append,
            checkpoints=Checkpoints(Path("nowhere"), ""),
        )  # fmt: skip
        kept = trained.out_of_fold_rows
        known = any_known(seen.matrix(config.evidence_of(member)))
        entities = np.asarray(seen.entity_id, dtype=object)[kept].tolist()
        fold[member.name] = OutOfFold(
            entities, trained.out_of_fold_scores, known[kept], seen.label[kept]
        )
        test[member.name] = (
            Booster(trained.model_text).raw_scores(ahead.matrix(member.inputs)),
            any_known(ahead.matrix(config.evidence_of(member))),
        )
    joined = join_out_of_fold(fold)
    names = [member.name for member in config.members]
    stackers = fit_stackers(names, joined.scores, joined.available, joined.label, config.stacker_l2)
    found = dict(
        zip(
            next(iter(fold.values())).entity_id,
            _stacked(stackers, {n: (joined.scores[n], joined.available[n]) for n in names}),
            strict=True,
        )
    )
    held_out = _stacked(stackers, test)
    log.append(f"held out: {metrics_of(ahead.label, held_out)}")
    found.update(zip(ahead.entity_id, held_out, strict=True))
    answers = [found.get(entity, np.nan) for entity in table.column("entity_id").to_pylist()]
    return np.asarray(answers, dtype=np.float64), log


def _where(table: pa.Table, mask: NDArray[np.bool_]) -> Rows:
    return Rows(table.filter(pa.array(mask)))


def _stacked(stackers: list[StackWeights], scores: Scores) -> Floats:
    """Join members' log odds, row by row with the stacker of the members that are there."""
    count = len(next(iter(scores.values()))[0])
    logit = np.full(count, np.nan)
    for stacker in stackers:
        rows = np.ones(count, dtype=np.bool_)
        for name, (_, there) in scores.items():
            rows &= there if name in stacker.members else ~there
        logit[rows] = stacker.base
        for name, weight, centre in zip(
            stacker.members, stacker.weights, stacker.centres, strict=True
        ):
            logit[rows] += weight * (scores[name][0][rows] - centre)
    return sigmoid(logit)


def _config() -> EnsembleConfig:
    path = Path(polars_run.__file__).parents[1] / DEFAULT_FILE
    return parse_ensemble_config(path.read_text(encoding="utf-8"))


def _with_look_up_table(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the base rate, and the rate of carrier, origin and hour, of the training months."""
    config = _config()
    train = rows.filter(pl.col("period") <= config.split["train"].last)
    rate = float(train["label"].to_numpy().mean())
    keys = ["carrier", "origin", "hour"]
    table = train.group_by(keys).agg(
        look_up=(pl.col("label").sum() + SHRINKAGE * rate) / (pl.len() + SHRINKAGE)
    )
    joined = rows.join(table, on=keys, how="left", maintain_order="left")
    return joined.with_columns(pl.col("look_up").fill_null(rate), base_rate=pl.lit(rate))


if __name__ == "__main__":
    write_predictions(Path(sys.argv[1]))
