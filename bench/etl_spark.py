"""Our ETL as a laptop runs it: ``python -m bench.etl_spark USE_CASE SOURCES OUT``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from pipeline_code.data_pipeline.feature_step import with_split, write_dataset
from pipeline_code.data_pipeline.transform_job import start_session
from pipeline_code.use_case import Period, SourceContract, UseCase, load_use_case

REPOSITORY = Path(__file__).parents[1]
TYPES = {"string": "string", "integer": "bigint", "number": "double", "timestamp": "timestamp"}


def main(name: str, sources: Path, out: Path) -> int:
    """Read CSV, join, write features; give the number of rows."""
    spark = _session(out)
    start_session(_bytes(sources))
    use_case = load_use_case(name)
    read = {c.name: _source(spark, sources, c) for c in use_case.sources.values()}
    snapshots = use_case.snapshots().build_snapshots(read, DataFrame.persist)
    rows = with_split(snapshots, _any_month(use_case))
    written = write_dataset(rows, use_case, f"file://{out}/")
    return sum(row["rows"] for row in written.collect())


def _session(out: Path) -> SparkSession:
    """Make a session as the embedded AWS does on two cores."""
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session: SparkSession = (
        SparkSession.builder.master(f"local[{os.environ.get('ETL_THREADS', '2')}]")
        .config("spark.driver.memory", os.environ.get("ETL_HEAP", "2g"))
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config(
            "spark.driver.extraJavaOptions",
            os.environ.get("ETL_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1"),
        )
        .config("spark.local.dir", str(out / "spark"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def _source(spark: SparkSession, sources: Path, contract: SourceContract) -> DataFrame:
    file = next((sources / contract.name).glob("*.csv"))
    with file.open(encoding="utf-8") as text:
        names = text.readline().rstrip().split(",")
    kinds = {column.name: TYPES[column.type] for column in contract.columns}
    schema = ", ".join(f"`{name}` {kinds.get(name, 'string')}" for name in names)
    rows = spark.read.csv(
        f"{sources}/{contract.name}", schema=schema, header=True, nullValue=contract.null_value
    )
    return rows.select(*kinds)


def _any_month(use_case: UseCase) -> UseCase:
    """Let every month fall into a split: the benchmark's years go on after the real one."""
    return replace(use_case, split={"train": Period("0001-01", "9999-12")})


def _bytes(sources: Path) -> int:
    return sum(file.stat().st_size for file in sources.rglob("*.csv"))


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))}\n")
