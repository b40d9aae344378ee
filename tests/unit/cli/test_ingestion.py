"""Files land once a content, and the end of a batch is told as it was."""

from __future__ import annotations

import json

import pytest

from cli.errors import NotThereError, RefusedError
from cli.ingestion import bar, is_landed, judge, rows_text, source_files, upload_changed
from tests.unit.cli.histories import entered, execution, exited, failed

READY = {"status": "ready", "waiting_for": [], "batch_id": "b-1", "run_id": "r-1", "detail": "2"}
DATASET = {"dataset_id": "d-1", "manifest_uri": "s3://model-input/datasets/d-1/manifest.json"}


@pytest.fixture
def folder(tmp_path):
    for name, text in {"a/one.csv": "x,y\n1,2\n", "b/two.csv": "x\n1\n"}.items():
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text)
    return tmp_path


def _report(target, **report):
    target.client("s3").put_object(
        Bucket="model-input", Key="runs/r-1/report.json", Body=json.dumps(report)
    )


def _put(target, table, **item):
    target.session.resource("dynamodb").Table(table).put_item(Item=item)


def test_the_largest_file_lands_last(folder):
    assert [file.key for file in source_files(folder)] == [
        "landing/b/two.csv",
        "landing/a/one.csv",
    ]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(NotThereError, match=r"no folder .*nowhere"):
        source_files(tmp_path / "nowhere")


def test_a_folder_without_sources_says_what_it_should_hold(tmp_path):
    (tmp_path / "loose.csv").write_text("x")

    with pytest.raises(NotThereError, match="<source>/<file>"):
        source_files(tmp_path)


def test_a_second_upload_of_the_same_content_sends_nothing(foundation, folder):
    files = source_files(folder)

    assert upload_changed(foundation, "raw-lake", files) == 2
    assert upload_changed(foundation, "raw-lake", files) == 0


def test_only_the_file_that_changed_is_sent_again(foundation, folder):
    upload_changed(foundation, "raw-lake", source_files(folder))
    (folder / "a" / "one.csv").write_text("x,y\n1,3\n")

    assert upload_changed(foundation, "raw-lake", source_files(folder)) == 1
    body = foundation.client("s3").get_object(Bucket="raw-lake", Key="landing/a/one.csv")["Body"]
    assert body.read() == b"x,y\n1,3\n"


def test_an_object_that_another_tool_put_there_counts_as_changed(foundation, folder):
    file = source_files(folder)[0]
    s3 = foundation.client("s3")
    s3.put_object(Bucket="raw-lake", Key=file.key, Body=file.path.read_bytes())

    assert not is_landed(s3, "raw-lake", file)


def test_a_published_dataset_is_the_outcome_even_where_later_arrivals_had_nothing_to_do(foundation):
    taken = {**READY, "status": "taken"}
    run = execution(exited("Collect", 1, {"batch": READY}), exited("Publish", 9, DATASET))

    outcome = judge(foundation, [run, execution(exited("Collect", 1, {"batch": taken}))])

    assert (outcome.status, outcome.dataset_id) == ("published", "d-1")


def test_a_batch_that_waits_names_the_sources_it_waits_for(foundation, capsys):
    awaited = [
        {"source": "weather", "period": "2013-02"},
        {"source": "weather", "period": "2013-03"},
        {"source": "aircraft", "period": ""},
    ]
    stranger = {"key": "landing/weather/notes.txt", "reason": "its name says no month"}
    waiting = {
        **READY,
        "status": "waiting",
        "waiting_for": awaited,
        "unrecognised": [stranger],
        "batch_id": "",
    }

    outcome = judge(foundation, [execution(exited("Collect", 1, {"batch": waiting}))])

    assert outcome.status == "waiting"
    said = " ".join(capsys.readouterr().out.split())
    assert "waiting for the source aircraft; weather 2013-02, 2013-03: nothing runs" in said
    assert "not read: landing/weather/notes.txt: its name says no month" in said


def test_what_is_still_awaited_beside_a_published_run_is_told(foundation, capsys):
    ready = {
        **READY,
        "periods": ["2013-01", "2013-03"],
        "waiting_for": [{"source": "weather", "period": "2013-04"}],
    }
    run = execution(exited("Collect", 1, {"batch": ready}), exited("Publish", 9, DATASET))

    assert judge(foundation, [run]).status == "published"
    said = " ".join(capsys.readouterr().out.split())
    assert "2013-01..2013-03 is complete; still awaited: weather 2013-04" in said


def test_a_known_batch_is_unchanged_and_its_dataset_named(foundation):
    _put(foundation, "metadata", pk="DATASET#example", sk="LATEST", dataset_id="d-7")
    unchanged = {**READY, "status": "unchanged"}

    outcome = judge(foundation, [execution(exited("Collect", 1, {"batch": unchanged}))])

    assert (outcome.status, outcome.dataset_id) == ("unchanged", "d-7")


def test_a_batch_that_was_rejected_before_is_refused_again_with_its_reason(foundation):
    _put(
        foundation, "metadata", pk="BATCH#example", sk="b-1", state="rejected", reason="no column q"
    )
    unchanged = {**READY, "status": "unchanged"}

    with pytest.raises(RefusedError, match="no column q"):
        judge(foundation, [execution(exited("Collect", 1, {"batch": unchanged}))])


def test_a_rejected_batch_is_told_with_the_reason_and_the_records_of_its_run(foundation, capsys):
    source = {"rows_read": 10, "rows_valid": 7, "rows_quarantined": 3, "reasons": {"range": 3}}
    _report(foundation, status="rejected", reason="column q is missing", sources={"a": source})
    run = execution(
        exited("Collect", 1, {"batch": READY}),
        entered("Transform", 1),
        failed("DatasetRejectedError", "job failed", 5),
        status="FAILED",
    )

    with pytest.raises(RefusedError, match="column q is missing"):
        judge(foundation, [run])
    assert "range 3" in capsys.readouterr().out


def test_a_run_that_died_without_a_report_is_told_in_the_words_of_its_failure(foundation):
    run = execution(
        exited("Collect", 1, {"batch": READY}), failed("E", "out of memory", 5), status="FAILED"
    )

    with pytest.raises(RefusedError, match="out of memory"):
        judge(foundation, [run])


@pytest.mark.parametrize(("share", "drawn"), [(0, "░░░░"), (0.5, "██░░"), (1, "████"), (2, "████")])
def test_a_bar_is_as_full_as_its_share(share, drawn):
    assert bar(share, width=4) == drawn


def test_rows_by_split_read_as_words():
    assert rows_text({"train": 252484, "test": 55403}) == "train: 252,484, test: 55,403"
