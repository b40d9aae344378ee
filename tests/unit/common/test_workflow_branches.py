"""The report of branches reads definitions rightly."""

from __future__ import annotations

from tests.e2e.branches import branches_of, report

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


def test_every_choice_catch_and_retry_is_a_branch():
    assert [branch.label for branch in branches_of(DEFINITION)] == [
        "States.Timeout",
        "States.ALL",
        "Busy, Slow",
        "rule 1",
        "default",
    ]


def test_the_report_says_which_branch_no_test_took():
    branch = branches_of(DEFINITION)[0]
    assert "**nothing**" in report({("machine", branch): []})
    assert "| test_a; test_b |" in report({("machine", branch): ["test_b", "test_a", "test_a"]})
