"""What was put aside is listed with its reason; a corrected file takes the broken one's place."""

from __future__ import annotations

import json

import pytest

from cli.errors import NotThereError
from cli.quarantine import list_quarantine, replay, show_quarantine

KEY = "landing/readings/readings-1.csv"


def _entry(line, rule="range", file=KEY):
    return {
        "source_file": file,
        "line": line,
        "rule": rule,
        "column": "x",
        "value": "9999",
        "reason": "x is 9999, allowed is 0 to 10",
    }


def _put_aside(target, run_id, *entries, source="readings", name="part-0.json"):
    body = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    key = f"quarantine/{source}/run={run_id}/{name}"
    target.client("s3").put_object(Bucket="raw-lake", Key=key, Body=body)


def test_an_empty_quarantine_says_so(foundation, capsys):
    list_quarantine(foundation, source=None, run_id=None)

    assert "Nothing is in quarantine" in capsys.readouterr().out


def test_the_list_counts_records_by_run_source_and_rule(foundation, capsys):
    _put_aside(foundation, "r-1", _entry(2), _entry(3), _entry(4, rule="type"))
    _put_aside(foundation, "r-1", name="_SUCCESS")

    list_quarantine(foundation, source=None, run_id=None)

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["r-1", "readings", "range", "2", "readings-1.csv"] in rows
    assert ["r-1", "readings", "type", "1", "readings-1.csv"] in rows


def test_the_list_can_be_of_one_source(foundation, capsys):
    _put_aside(foundation, "r-1", _entry(2))
    _put_aside(foundation, "r-1", _entry(2), source="other")

    list_quarantine(foundation, source="other", run_id=None)

    assert "readings  range" not in capsys.readouterr().out


def test_an_entry_is_shown_with_file_line_value_and_reason(foundation, capsys):
    _put_aside(foundation, "r-1", _entry(17), _entry(18))

    show_quarantine(foundation, "r-1", source=None, limit=1)

    words = capsys.readouterr().out
    for word in (KEY, "17", "9999", "allowed is 0 to 10", "1 of 2 entries"):
        assert word in words


def test_a_run_that_put_nothing_aside_is_named(foundation):
    with pytest.raises(NotThereError, match="Run r-9 put nothing of any source aside"):
        show_quarantine(foundation, "r-9", source=None, limit=5)


def test_a_file_that_never_landed_cannot_be_corrected(foundation, tmp_path):
    _land(foundation, KEY)
    file = tmp_path / "readings-2.csv"
    file.write_text("x\n1\n")

    with pytest.raises(NotThereError, match=r"No file 'readings-2.csv'.*Landed: readings-1.csv"):
        replay(foundation, "readings", file)


def test_a_missing_correction_is_named(foundation, tmp_path):
    with pytest.raises(NotThereError, match="There is no file"):
        replay(foundation, "readings", tmp_path / "none.csv")


def _land(target, key):
    target.client("s3").put_object(Bucket="raw-lake", Key=key, Body="x\n9999\n")
