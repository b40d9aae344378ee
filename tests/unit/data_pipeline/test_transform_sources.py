"""What a run makes of its sources as a whole: budgets, lags, words, and whether to train on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline_code.data_pipeline.contract import DatasetManifest, Provenance, SourceReport
from pipeline_code.data_pipeline.dataset import why_not_trainable
from pipeline_code.data_pipeline.quarantine import broken_files, reasons
from pipeline_code.data_pipeline.source_files import SourceFile
from pipeline_code.data_pipeline.source_report import count_files, measure_lags
from pipeline_code.data_pipeline.source_step import (
    BatchRejectedError,
    check_files,
    check_records,
    in_order_of_reference,
)
from pipeline_code.source_contract import Field, Freshness, Reference, SourceContract
from pipeline_code.use_case import Period, load_use_case
from tests.fixtures import tiny_dataset

ID = Field("id", "string", False, None, None, (), "", "Id.")
LEVEL = Field("level", "number", True, 0, 9, (), "m", "Level.")
STATE = Field("state", "string", False, None, None, tuple("abcdefghijklmnop"), "", "State.")
READINGS = SourceContract(
    name="readings",
    version=3,
    group="meter",
    required=True,
    format="csv",
    null_value="",
    arrival_every=None,
    pull=None,
    freshness=Freshness("at", 48),
    max_quarantined_share=0.05,
    max_quarantined_files_share=0.2,
    description="Readings.",
    key=("id", "level"),
    references=(Reference("id", "meters", "name", ()),),
    columns=(ID, LEVEL, STATE),
)


def file(number: int, rule: str = "", records: int | None = None) -> SourceFile:
    return SourceFile(
        source="readings",
        number=number,
        key=f"landing/readings/{number}.csv",
        version_id=f"v{number}",
        uri="",
        header="id,level,state",
        rule=rule,
        reason=f"reason {number}" if rule else "",
        records=records,
    )


def report(**values) -> SourceReport:
    return count_files(READINGS, []) | {"newest": "2013-01-31T00:00:00Z"} | values


def test_broken_files_are_counted_with_their_records():
    found = count_files(
        READINGS, [file(0), file(1, "missing_column", 70), file(2, "truncated_gzip"), file(3)]
    )

    assert (found["files_read"], found["files_quarantined"]) == (4, 2)
    assert found["rows_read"] == found["rows_quarantined"] == 70
    assert found["reasons"] == {"missing_column": 70}
    assert found["file_reasons"] == {"missing_column": 1, "truncated_gzip": 1}


def test_files_have_a_budget_of_their_own():
    good = [file(number) for number in range(8)]

    check_files(READINGS, [*good, file(8, "empty_file", 0), file(9, "corrupt_gzip")])
    with pytest.raises(BatchRejectedError) as rejected:
        check_files(READINGS, [*good, *(file(number, "empty_file", 0) for number in range(8, 12))])

    assert str(rejected.value) == (
        "source 'readings': 4 of 12 files are broken, at most 20% may be:"
        " landing/readings/8.csv: reason 8; landing/readings/9.csv: reason 9;"
        " landing/readings/10.csv: reason 10; …"
    )


def test_a_source_whose_files_are_all_broken_is_rejected_whatever_the_budget():
    lenient = replace(READINGS, max_quarantined_files_share=1.0)

    with pytest.raises(BatchRejectedError, match="1 of 1 files are broken"):
        check_files(lenient, [file(0, "header_only", 0)])


def test_records_of_broken_files_do_not_count_against_the_records_budget():
    lost = {"rows_read": 1100, "rows_valid": 950, "rows_quarantined": 150}

    check_records(READINGS, report(**lost), lost=100)
    with pytest.raises(BatchRejectedError, match="51 of 1000 records are broken"):
        check_records(READINGS, report(**lost | {"rows_quarantined": 151}), lost=100)
    with pytest.raises(BatchRejectedError, match="none of 1000 records is valid"):
        check_records(READINGS, report(rows_read=1000), lost=0)


def test_a_source_is_stale_when_it_lies_too_far_behind_the_newest():
    behind = replace(READINGS, name="behind")
    untimed = replace(READINGS, name="untimed", freshness=None)
    reports = {
        "readings": report(),
        "behind": report(newest="2013-01-28T23:00:00Z"),
        "untimed": report(newest=None),
    }

    measure_lags(reports, [READINGS, behind, untimed])

    lags = {name: (one["lag_hours"], one["stale"]) for name, one in reports.items()}
    assert lags == {"readings": (0, False), "behind": (49, True), "untimed": (None, False)}


def test_a_dataset_is_trainable_when_its_splits_are_filled_and_its_sources_fresh():
    months = {"train": Period("2013-01", "2013-02"), "test": Period("2013-03", "2013-03")}
    tiny_dataset.install()
    use_case = replace(load_use_case("tiny"), split=months)

    def why(rows: dict[str, int], **sources: SourceReport) -> list[str]:
        made: Provenance = {"sources": sources}  # type: ignore[typeddict-item]
        manifest: DatasetManifest = {"rows": rows, "provenance": made}  # type: ignore[typeddict-item]
        return why_not_trainable(use_case, manifest)

    stale = report(stale=True, lag_hours=49.0)
    assert why({"train": 9, "test": 1}, readings=report()) == []
    assert why({"train": 9}, readings=stale) == [
        "no row falls into the split test, 2013-03 to 2013-03",
        "source readings lies 49 h behind the newest record of the batch",
    ]


def test_sources_are_read_after_those_that_they_refer_to():
    meters = replace(READINGS, name="meters", references=(Reference("id", "places", "name", ()),))
    places = replace(READINGS, name="places", references=())
    contracts = {"readings": READINGS, "meters": meters, "places": places}

    assert [one.name for one in in_order_of_reference(contracts)] == [
        "places",
        "meters",
        "readings",
    ]


def test_each_rule_is_said_in_words():
    said = reasons(READINGS)

    assert said["missing id"] == "id is null and must not be."
    assert said["range level"] == "level must be from 0 to 9 m."
    assert said["type level"] == "level is no number."
    assert said["allowed state"] == (
        "state must be one of a, b, c, d, e, f, g, h, i, j, k, l and 4 more."
    )
    assert said["orphan id"] == "id is no name of a valid record of meters."
    assert said["duplicate id+level"] == "The file has a record with this id, level before it."


def test_a_broken_file_is_one_entry_with_its_version():
    (entry,) = broken_files([file(4, "missing_column", 7)])

    assert entry == {
        "source_file": "landing/readings/4.csv",
        "version_id": "v4",
        "line": None,
        "rule": "missing_column",
        "column": "",
        "value": None,
        "reason": "landing/readings/4.csv: reason 4",
        "records": 7,
    }
