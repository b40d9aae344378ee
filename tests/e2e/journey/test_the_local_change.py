"""A data scientist tries a change on the machine: candidate and champion in one table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.conftest import Platform
from tests.e2e.journey.test_from_sources_to_predictions import ledger, serving


@contextmanager
def changed(platform: Platform, file: str, old: str, new: str) -> Iterator[None]:
    """Change a file of the use case in the working copy for a while."""
    path = platform.project / "use_cases" / "flight_delays" / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield
    finally:
        path.write_text(before)


def live(platform: Platform) -> dict[str, Any]:
    """Look at all that a training would leave."""
    outputs = platform.outputs("Foundation")
    sagemaker, s3 = platform.client("sagemaker"), platform.client("s3")
    buckets = [name for key, name in outputs.items() if key.endswith("BucketName")]
    return {
        "serving": serving(platform),
        "ledger": len(ledger(platform)),
        "jobs": len(sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]),
        "objects": {
            bucket: [
                item["ETag"]
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
                for item in page.get("Contents", [])
            ]
            for bucket in buckets
        },
    }


def test_a_changed_formula_shows_beside_the_champion_and_touches_nothing_live(
    bare_platform: Platform,
):
    before = live(bare_platform)

    with changed(bare_platform, "features.py", "SHRINKAGE = 20", "SHRINKAGE = 60"):
        words = bare_platform.command("train", "--local-change")

    lines = [" ".join(line.split()) for line in words.splitlines()]
    assert any("late_rate_28d_carrier in " in line for line in lines), words
    assert "trained here: schedule; as the champion's: network, weather" in lines
    (schedule,) = (line for line in lines if line.startswith("member schedule AUC"))
    (weather,) = (line for line in lines if line.startswith("member weather AUC"))
    assert weather.endswith("+0.0000")
    assert len(schedule.split()) == len(weather.split())
    assert any(line.startswith("verdict: it would be promoted") for line in lines), words
    report = bare_platform.project / "build" / "local_change" / "evaluation.html"
    assert report.read_text().startswith("<!doctype html>")
    assert live(bare_platform) == before


def test_a_change_that_cannot_work_is_refused_by_file_and_place(bare_platform: Platform):
    with changed(bare_platform, "features.py", "SHRINKAGE = 20", "SHRINKAGE = twenty"):
        words = bare_platform.refused("train", "--local-change")
    assert "use_cases/flight_delays/features.py:" in words
    assert "NameError: name 'twenty' is not defined" in words

    with changed(bare_platform, "members.yaml", "- wind_u_mph", "- wind_w_mph"):
        words = bare_platform.refused("train", "--local-change")
    assert "use_cases/flight_delays/members.yaml: members[1].features names 'wind_w_mph'" in words
