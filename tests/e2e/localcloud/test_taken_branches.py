"""The report of taken branches tells the truth: of an execution's history, and of walks."""

from __future__ import annotations

import json

import pytest

from tests.e2e.branches import Branch, branches_of, taken
from tests.e2e.localcloud.conftest import allow
from tests.e2e.walking import Error, Walk, Walker, Walks

MISSING = "S3.NoSuchBucketException"
GET = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket.$": "$.bucket", "Key": "key"},
    "Retry": [
        {"ErrorEquals": ["S3.SlowDown"], "MaxAttempts": 2},
        {"ErrorEquals": [MISSING], "IntervalSeconds": 1, "MaxAttempts": 1},
    ],
    "Catch": [
        {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.failure", "Next": "Failed"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Failed"},
    ],
    "Next": "Done",
}
DEFINITION = {
    "StartAt": "Which?",
    "States": {
        "Which?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.number", "NumericEquals": 1, "Next": "Get"},
                {"Variable": "$.number", "NumericEquals": 2, "Next": "Get"},
            ],
            "Default": "Done",
        },
        "Get": GET,
        "Failed": {"Type": "Fail", "ErrorPath": "$.failure.Error", "CausePath": "$.failure.Cause"},
        "Done": {"Type": "Succeed"},
    },
}
OBJECT = {"ETag": "e", "ContentLength": 1}


def test_a_history_gives_the_very_rules_that_an_execution_went_by(cloud):
    client = cloud.client("stepfunctions")
    created = client.create_state_machine(
        name=cloud.name("branches"),
        definition=json.dumps(DEFINITION),
        roleArn=cloud.role("states.amazonaws.com", allow("s3:*")),
    )
    started = client.start_execution(
        stateMachineArn=created["stateMachineArn"],
        input=json.dumps({"number": 2, "bucket": "there-is-no-such-bucket"}),
    )
    ended = cloud.finished(started["executionArn"])
    history = client.get_execution_history(executionArn=started["executionArn"])

    assert ended["error"] == MISSING
    assert taken(client, DEFINITION, history["events"]) == {
        Branch("Which?", "Choice", "rule 2", "Get"),
        Branch("Get", "Retry", MISSING, "Get"),
        Branch("Get", "Catch", "States.ALL", "Failed"),
    }


def walked(cloud, *walks, definition=DEFINITION, **survived):
    walker = Walker(
        cloud.client("stepfunctions"), definition, Walks({"Get": OBJECT}, walks, **survived)
    )
    walker.walk_all()
    return walker.taken


GETS = [Walk(f"number {n}", "Done", given={"number": n, "bucket": "b"}) for n in (1, 2, 3)]


def test_walks_take_every_branch_or_leave_it_out(cloud):
    assert set(walked(cloud, *GETS)) == set(branches_of(DEFINITION))
    assert set(branches_of(DEFINITION)) - set(walked(cloud, *GETS[1:])) == {
        Branch("Which?", "Choice", "rule 1", "Get")
    }


def test_a_walk_may_meet_an_error_of_its_own(cloud):
    meets = {"Get": Error("AccessDenied")}
    refused = Walk("refused", "Failed", {"number": 1, "bucket": "b"}, meets)

    assert Branch("Get", "Catch", "States.ALL", "Failed") in walked(cloud, refused)


def changed(**fields):
    states = {**DEFINITION["States"], "Get": {**GET, **fields}}
    return {**DEFINITION, "States": states}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (changed(Catch=[{**GET["Catch"][1], "Next": "Done"}]), "the execution ends in"),
        (changed(Catch=[GET["Catch"][1], GET["Catch"][0]]), "no error leads to Catch 2"),
        (changed(Retry=[{"ErrorEquals": ["States.ALL"]}, *GET["Retry"]]), "S3.SlowDown"),
    ],
)
def test_a_branch_that_swallows_an_error_or_is_never_reached_is_found(cloud, definition, message):
    with pytest.raises(AssertionError, match=message):
        walked(cloud, *GETS, definition=definition)
