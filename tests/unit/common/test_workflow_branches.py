"""The report of branches reads definitions and histories rightly."""

from __future__ import annotations

from tests.e2e.branches import branches_of, report, taken

DEFINITION = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Retry": [{"ErrorEquals": ["Busy", "Slow"]}],
            "Catch": [
                {"ErrorEquals": ["States.Timeout"], "Next": "Late"},
                {"ErrorEquals": ["States.ALL"], "Next": "Failed"},
            ],
            "Next": "Good?",
        },
        "Good?": {"Type": "Choice", "Choices": [{"Next": "Done"}], "Default": "Failed"},
        "Late": {"Type": "Pass", "Next": "Good?"},
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail"},
    },
}


def history(*steps):
    events = []
    for kind, detail in steps:
        event = {"id": len(events) + 1, "previousEventId": len(events), "type": kind}
        if kind.endswith("StateEntered"):
            event["stateEnteredEventDetails"] = {"name": detail}
        elif kind.endswith("StateExited"):
            event["stateExitedEventDetails"] = {"name": detail}
        elif detail:
            event["taskFailedEventDetails"] = {"error": detail}
        events.append(event)
    return events


def labels(events):
    return {(branch.kind, branch.label) for branch in taken(DEFINITION, events)}


def test_every_choice_catch_and_retry_is_a_branch():
    assert [branch.label for branch in branches_of(DEFINITION)] == [
        "States.Timeout",
        "States.ALL",
        "Busy, Slow",
        "rule 1",
        "default",
    ]


def test_a_retried_task_that_then_succeeds_took_the_retry_and_no_catch():
    events = history(
        ("TaskStateEntered", "Work"),
        ("TaskScheduled", ""),
        ("TaskFailed", "Slow"),
        ("TaskScheduled", ""),
        ("TaskStateExited", "Work"),
        ("ChoiceStateEntered", "Good?"),
        ("ChoiceStateExited", "Good?"),
        ("SucceedStateEntered", "Done"),
    )
    assert labels(events) == {("Retry", "Busy, Slow"), ("Choice", "rule 1")}


def test_a_failure_takes_the_catch_that_names_it():
    late = history(
        ("TaskStateEntered", "Work"),
        ("TaskScheduled", ""),
        ("TaskTimedOut", "States.Timeout"),
        ("TaskStateExited", "Work"),
        ("PassStateEntered", "Late"),
    )
    broken = history(
        ("TaskStateEntered", "Work"),
        ("TaskScheduled", ""),
        ("TaskFailed", "Broken"),
        ("FailStateEntered", "Failed"),
    )
    assert labels(late) == {("Catch", "States.Timeout")}
    assert labels(broken) == {("Catch", "States.ALL")}


def test_the_report_says_which_branch_no_test_took():
    branch = branches_of(DEFINITION)[0]
    assert "**none**" in report({("machine", branch): []})
    assert "| test_a, test_b |" in report({("machine", branch): ["test_b", "test_a", "test_a"]})
