"""SIGKILL of the real job at random moments: nothing half-published, and a re-run ends well.

KILLED_JOBS is the number of kills, KILLED_JOBS_SEED the first seed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localcloud.spark_jobs.java import java_settings
from tests.integration.data_pipeline.runs import Lake, Rows

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("KILLED_JOBS", "2"))
SEED = int(os.environ.get("KILLED_JOBS_SEED", "0"))
ALL_SEEDS = range(SEED, SEED + KILLS)
POLL_SECONDS = 0.05
DAYS = ("2013-10-30", "2013-11-02")


@pytest.fixture(scope="module")
def small(raw: dict[str, Rows]) -> dict[str, Rows]:
    """Four days of departures, on both sides of a month's end."""
    header, *flights = raw["flights"]
    hour = header.index("time_hour")
    return raw | {"flights": [header, *(r for r in flights if DAYS[0] <= r[hour][:10] <= DAYS[1])]}


def landed(folder: Path, sources: dict[str, Rows]) -> Lake:
    lake = Lake(folder)
    for source, rows in sources.items():
        lake.land(source, f"{source}.csv", rows)
    return lake


def started(lake: Lake, run_id: str) -> subprocess.Popen[bytes]:
    """Start the job in a process group of its own, as an engine starts it."""
    batch = lake.folder / "lake" / "batches" / "batch.json"
    batch.parent.mkdir(parents=True, exist_ok=True)
    batch.write_text(json.dumps({"batch_id": "batch", "objects": lake._objects}))
    words = {
        "use_case": "flight_delays",
        "run_id": run_id,
        "batch_uri": f"file://{batch}",
        "raw_lake_bucket": f"file://{lake.folder}/lake",
        "model_input_bucket": f"file://{lake.folder}/model",
        "code_version": "test",
    }
    settings = lake.folder / "conf"
    settings.mkdir(exist_ok=True)
    (settings / "spark-defaults.conf").write_text(
        "spark.master local[2]\nspark.driver.memory 1g\nspark.ui.enabled false\n"
        "spark.driver.bindAddress 127.0.0.1\nspark.driver.host 127.0.0.1\n"
        f"spark.local.dir {lake.folder}/spark\n"
        "spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1\n"
    )
    environment = {
        **os.environ,
        **java_settings(),
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONF_DIR": str(settings),
        "SPARK_LOCAL_DIRS": str(lake.folder / "spark"),
        "TMPDIR": str(lake.folder),
    }
    arguments = [word for name, value in words.items() for word in (f"--{name}", value)]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline_code.data_pipeline.transform_job", *arguments],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def published(lake: Lake) -> list[str]:
    """List the datasets that a reader sees, each checked file by file against its manifest."""
    found = []
    for file in (lake.folder / "model" / "datasets").glob("*/manifest.json"):
        manifest = json.loads(file.read_text())
        assert file.parent.name == manifest["dataset_id"]
        assert manifest["files"]
        for listed in manifest["files"]:
            content = (file.parent / listed["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == listed["sha256"], listed["path"]
        found.append(manifest["dataset_id"])
    return found


def processor_seconds(job: subprocess.Popen[bytes]) -> float:
    """Sum what the job's processes have computed: a clock that other work does not slow down."""
    try:
        root = psutil.Process(job.pid)
        group = [root, *root.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in group)
    except psutil.NoSuchProcess:
        return 0.0


def life(job: subprocess.Popen[bytes]) -> Iterator[float]:
    """Tell the job's processor seconds again and again until it ends."""
    while job.poll() is None:
        yield processor_seconds(job)
        with contextlib.suppress(subprocess.TimeoutExpired):
            job.wait(POLL_SECONDS)


@pytest.fixture(scope="module")
def undisturbed(small, tmp_path_factory) -> tuple[str, float]:
    """Run the job in peace: the dataset's id, and the processor seconds of the job's life."""
    lake = landed(tmp_path_factory.mktemp("undisturbed"), small)
    with started(lake, "run-1") as job:
        seconds = max(life(job))
    assert job.returncode == 0
    (dataset_id,) = published(lake)
    return dataset_id, seconds


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_a_killed_job_publishes_nothing_by_halves_and_its_rerun_ends_well(
    spark, small, undisturbed, tmp_path, seed
):
    dataset_id, seconds = undisturbed
    lake = landed(tmp_path, small)
    # The later, the more there is to break.
    moment = seconds * random.Random(seed).random() ** 0.5  # noqa: S311 - a moment, no secret
    with started(lake, "killed") as job:
        for lived in life(job):
            if lived >= moment:
                os.killpg(job.pid, signal.SIGKILL)
                break

    assert job.returncode in (-signal.SIGKILL, 0)
    assert published(lake) in ([], [dataset_id])
    report = lake.run("again")
    assert report["dataset_id"] == dataset_id
    assert published(lake) == [dataset_id]
    assert not (lake.folder / "model" / "staging" / "again").exists()
