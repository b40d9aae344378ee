"""An execution's history reads as steps, documents and a reason."""

from __future__ import annotations

import json

import pytest

from cli.executions import failure_of, readable_cause, steps
from tests.unit.cli.histories import entered, execution, exited, failed


def test_a_step_that_has_been_left_is_done_with_its_duration():
    (row,) = execution(entered("Collect", 1), exited("Collect", 4)).rows()

    assert (row.label, row.state, row.seconds) == ("Collect", "done", 3.0)


def test_the_step_that_is_under_way_is_running():
    rows = execution(entered("A", 0), exited("A", 1), entered("B", 1), status="RUNNING").rows()

    assert [row.state for row in rows] == ["done", "running"]


def test_the_step_in_which_an_execution_ended_is_failed():
    rows = execution(entered("A", 0), failed("E", "c", 2), status="FAILED").rows()

    assert [row.state for row in rows] == ["failed"]


def test_a_state_that_runs_once_an_item_is_one_step_until_its_last_item_is_done():
    events = [entered("Train", 0), entered("Train", 0), exited("Train", 5)]

    assert [(step.name, step.running) for step in steps(events)] == [("Train", 1)]
    assert [step.running for step in steps([*events, exited("Train", 9)])] == [0]


def test_a_document_is_found_however_deep_and_the_latest_wins():
    history = execution(
        exited("Collect", 1, {"batch": {"status": "waiting", "batch_id": "b-1"}}),
        exited("Collect", 2, {"batch": {"status": "ready", "batch_id": "b-2"}}),
    )

    assert history.document("status", "batch_id")["batch_id"] == "b-2"


def test_a_document_must_hold_all_the_keys():
    assert execution(exited("A", 1, {"status": "x"})).document("status", "batch_id") == {}


def test_the_reason_of_a_failure_is_the_words_of_the_function_that_raised():
    cause = json.dumps({"errorMessage": "column tail is missing", "errorType": "ContractError"})

    assert execution(failed("ContractError", cause, 3), status="FAILED").failure() == (
        "ContractError: column tail is missing"
    )


@pytest.mark.parametrize("cause", ["plain words", "[1, 2]", '{"other": 1}'])
def test_a_cause_in_another_form_is_kept_as_it_is(cause):
    assert readable_cause(cause) == cause


def test_an_event_without_an_error_tells_of_none():
    assert failure_of(entered("A", 0)) == ""


def test_an_execution_that_was_aborted_says_so():
    assert execution(entered("A", 0), status="ABORTED").failure() == "ABORTED"
