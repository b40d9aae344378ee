"""TestState: single states of a definition, run by the interpreter that runs executions."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import allow

PREFIX = "arn:aws:states:::"
JOB_ERROR = {"ErrorEquals": ["SageMaker.ResourceLimitExceededException"]}
ANY = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Give up"}
TRAIN = {
    "Type": "Task",
    "Resource": f"{PREFIX}sagemaker:createTrainingJob.sync",
    "Parameters": {"TrainingJobName.$": "$.name", "Run.$": "$$.Execution.Name"},
    "ResultSelector": {"artefact.$": "$.ModelArtifacts.S3ModelArtifacts"},
    "ResultPath": "$.model",
    "Retry": [{**JOB_ERROR, "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 15}],
    "Catch": [{**ANY, "ErrorEquals": ["States.Timeout"], "Next": "Which?"}, ANY],
    "TimeoutSeconds": 60,
    "Next": "Which?",
}
CHOICE = {
    "Type": "Choice",
    "Choices": [
        {"Variable": "$.number", "NumericGreaterThan": 9, "Next": "Each"},
        {"Variable": "$.number", "NumericGreaterThan": 1, "Next": "Train"},
    ],
    "Default": "Give up",
}
EACH = {
    "Type": "Map",
    "ItemsPath": "$.members",
    "ItemSelector": {"member.$": "$$.Map.Item.Value", "of.$": "$.name"},
    "ItemProcessor": {
        "StartAt": "One",
        "States": {
            "One": {"Type": "Pass", "Parameters": {"at.$": "$$.Map.Item.Index"}, "End": True}
        },
    },
    "ResultPath": "$.members",
    "Catch": [ANY],
    "Next": "Which?",
}
STATES = {
    "Train": TRAIN,
    "Which?": CHOICE,
    "Each": EACH,
    "Give up": {"Type": "Fail", "ErrorPath": "$.failure.Error", "Cause": "too bad"},
}
MACHINE = {"StartAt": "Train", "States": STATES}
DESCRIBED = {
    "TrainingJobName": "t",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/t",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "ResourceConfig": {"VolumeSizeInGB": 1},
    "StoppingCondition": {},
    "CreationTime": 1700000000000,
}


def error(name, cause="because"):
    return {"errorOutput": {"error": name, "cause": cause}}


@pytest.fixture
def state(cloud):
    def run(name, given=None, *, definition=MACHINE, **options):
        mock = options.pop("result", None)
        if mock is not None:
            options["mock"] = {"result": json.dumps(mock)}
        named = {"stateName": name} if name else {}
        answer = cloud.client("stepfunctions").test_state(
            definition=json.dumps(definition), input=json.dumps(given or {}), **named, **options
        )
        del answer["ResponseMetadata"]
        return answer

    return run


def test_a_mocked_job_goes_the_way_of_a_real_one(state):
    answer = state("Train", {"name": "t"}, result=DESCRIBED, inspectionLevel="DEBUG")

    assert (answer["status"], answer["nextState"]) == ("SUCCEEDED", "Which?")
    model = {"artefact": "s3://bucket/model.tar.gz"}
    assert json.loads(answer["output"]) == {"name": "t", "model": model}
    data = answer["inspectionData"]
    assert json.loads(data["afterParameters"])["TrainingJobName"] == "t"
    assert json.loads(data["afterResultSelector"]) == model
    assert json.loads(data["result"]) == DESCRIBED


@pytest.mark.parametrize(("retried", "seconds"), [(0, 2), (1, 6), (2, 15)])
def test_an_error_that_is_retried_says_by_which_rule_and_when(state, retried, seconds):
    answer = state(
        "Train",
        {"name": "t"},
        mock=error("SageMaker.ResourceLimitExceededException"),
        stateConfiguration={"retrierRetryCount": retried},
        inspectionLevel="DEBUG",
    )

    assert answer["status"] == "RETRIABLE"
    assert answer["error"] == "SageMaker.ResourceLimitExceededException"
    assert answer["cause"] == "because"
    details = answer["inspectionData"]["errorDetails"]
    assert details == {"retryIndex": 0, "retryBackoffIntervalSeconds": seconds}


@pytest.mark.parametrize(
    ("name", "retried", "index", "following"),
    [
        ("States.Timeout", 0, 0, "Which?"),
        ("States.TaskFailed", 0, 1, "Give up"),
        ("SageMaker.ResourceLimitExceededException", 3, 1, "Give up"),
    ],
)
def test_an_error_that_is_not_retried_any_more_is_caught(state, name, retried, index, following):
    answer = state(
        "Train",
        {"name": "t"},
        mock=error(name),
        stateConfiguration={"retrierRetryCount": retried},
        inspectionLevel="DEBUG",
    )

    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", following)
    assert (answer["error"], answer["cause"]) == (name, "because")
    failure = {"Error": name, "Cause": "because"}
    assert json.loads(answer["output"]) == {"name": "t", "failure": failure}
    assert answer["inspectionData"]["errorDetails"] == {"catchIndex": index}


@pytest.mark.parametrize(("number", "following"), [(10, "Each"), (5, "Train"), (0, "Give up")])
def test_a_choice_is_made_by_its_input(state, number, following):
    answer = state("Which?", {"number": number})

    assert (answer["status"], answer["nextState"]) == ("SUCCEEDED", following)


def test_a_fail_state_fails_with_the_error_that_it_finds(state):
    answer = state("Give up", {"failure": {"Error": "Odd"}})

    assert answer == {"status": "FAILED", "error": "Odd", "cause": "too bad"}


def test_a_map_selects_its_items_and_takes_the_mocked_result(state):
    given = {"name": "n", "members": ["a", "b"]}
    answer = state("Each", given, result=[1, 2], inspectionLevel="DEBUG")

    assert (answer["status"], answer["nextState"]) == ("SUCCEEDED", "Which?")
    assert json.loads(answer["output"]) == {"name": "n", "members": [1, 2]}
    items = json.loads(answer["inspectionData"]["afterItemSelector"])
    assert items == [{"member": "a", "of": "n"}, {"member": "b", "of": "n"}]


def test_an_error_of_an_item_is_caught_by_the_map(state):
    given = {"name": "n", "members": ["a", "b"]}
    configuration = {"errorCausedByState": "One"}
    answer = state("Each", given, mock=error("Odd"), stateConfiguration=configuration)

    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Give up")
    assert json.loads(answer["output"])["failure"] == {"Error": "Odd", "Cause": "because"}


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("Each", {"members": ["a"]}, "$.name"),
        ("Each", {"name": "n"}, "$.members"),
        ("Which?", {"count": 1}, "$.number"),
        ("Give up", {}, "$.failure.Error"),
    ],
)
def test_a_path_that_finds_nothing_fails_for_good(state, name, given, path):
    options = {"result": [1]} if name == "Each" else {}

    answer = state(name, given, **options)

    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert f"The JSONPath '{path}' could not be found in the input" in answer["cause"]


def test_what_is_null_is_present(state):
    rule = {"Variable": "$.seen", "IsPresent": True, "Next": "Yes"}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "No"}

    found = [state(None, given, definition=choice) for given in ({"seen": None}, {})]

    assert [each["nextState"] for each in found] == ["Yes", "No"]


def test_a_state_of_a_maps_items_is_tested_with_an_item_in_its_context(state):
    answer = state("One", {"member": "a"})

    assert json.loads(answer["output"]) == {"at": 0}


def test_a_context_is_what_was_given_and_else_an_executions(state):
    context = json.dumps({"Execution": {"Name": "mine"}})
    answer = state(
        "Train", {"name": "t"}, result=DESCRIBED, context=context, inspectionLevel="DEBUG"
    )

    assert json.loads(answer["inspectionData"]["afterParameters"])["Run"] == "mine"


def test_variables_are_read_and_assigned(state):
    single = {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Assign": {"sum": "{% $first + $states.input.second %}"},
        "End": True,
    }
    answer = state(
        None,
        {"second": 2},
        definition=single,
        variables=json.dumps({"first": 1}),
        inspectionLevel="DEBUG",
    )

    assert json.loads(answer["inspectionData"]["variables"]) == {"first": 1, "sum": 3}


def test_a_task_without_a_mock_really_runs_as_the_role(cloud, state):
    queue = cloud.client("sqs").create_queue(QueueName=cloud.name("queue"))["QueueUrl"]
    send = {
        "Type": "Task",
        "Resource": f"{PREFIX}sqs:sendMessage",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$.text"},
        "End": True,
    }
    may = cloud.role("states.amazonaws.com", allow("sqs:SendMessage"))
    may_not = cloud.role("states.amazonaws.com")

    refused = state(None, {"text": "no"}, definition=send, roleArn=may_not)
    answer = state(None, {"text": "hello"}, definition=send, roleArn=may)

    assert (refused["status"], refused["error"]) == ("FAILED", "Sqs.AccessDeniedException")
    assert answer["status"] == "SUCCEEDED", answer
    messages = cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert [message["Body"] for message in messages] == ["hello"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Which?", {"mock": error("Odd")}, "State type 'Choice' is not supported when a mock"),
        ("Train", {}, "supported only when a mock is specified"),
        ("Each", {}, "State type 'Map' is supported only when a mock is specified"),
        ("Train", {"mock": {}}, "either a result or an errorOutput"),
        ("Train", {"result": {"ModelArtifacts": {}}}, "lacks the required field TrainingJobName"),
        ("Train", {"result": {**DESCRIBED, "Speed": 1}}, r"\$\.Speed is no field of"),
        ("Train", {"result": {**DESCRIBED, "StoppingCondition": 3}}, "StoppingCondition must be"),
        ("Each", {"result": {}}, "is an array"),
        ("Nowhere", {}, "'Nowhere' is none of the definition's: Train"),
        ("Which?", {"context": "{}"}, "context is supported only when a mock"),
        ("Which?", {"inspectionLevel": "MUCH"}, "INFO"),
    ],
)
def test_what_aws_refuses_is_refused(state, name, options, message):
    with pytest.raises(ClientError, match=message):
        state(name, {"name": "t", "members": [], "number": 1}, **options)


def test_a_mock_may_leave_fields_out_or_go_unchecked_if_asked(state):
    short = {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/k"}}
    for mode, result in (("PRESENT", short), ("NONE", {**short, "Speed": 1})):
        mock = {"result": json.dumps(result), "fieldValidationMode": mode}
        assert state("Train", {"name": "t"}, mock=mock)["status"] == "SUCCEEDED"


def test_a_transition_to_nowhere_is_an_invalid_definition(state):
    broken = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}

    with pytest.raises(ClientError, match="MISSING_TRANSITION_TARGET: 'A' leads to 'B'"):
        state("A", definition=broken)


def test_a_caller_needs_the_permission_and_may_pass_the_role(cloud):
    role = cloud.role("states.amazonaws.com")
    nobody = cloud.client("stepfunctions", cloud.assume(allow("states:ListStateMachines")))
    tester = cloud.client("stepfunctions", cloud.assume(allow("states:TestState")))
    single = json.dumps({"Type": "Succeed"})

    with pytest.raises(ClientError, match="not authorized to perform: states:TestState"):
        nobody.test_state(definition=single)
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        tester.test_state(definition=single, roleArn=role)
    assert tester.test_state(definition=single, input="{}")["status"] == "SUCCEEDED"
