"""Step Functions and what starts it: roles, retries, timeouts, nesting, concurrency, events."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

PREFIX = "arn:aws:states:::"
MACHINES = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine"
PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
NAP = """
import time
def handler(event, context):
    began = time.time()
    time.sleep(0.3)
    return [began, time.time()]
"""


def task(resource, parameters, **fields):
    state = {"Type": "Task", "Resource": f"{PREFIX}{resource}", "Parameters": parameters}
    return {"StartAt": "Only", "States": {"Only": {**state, "End": True, **fields}}}


@pytest.fixture
def machine(cloud):
    def create(definition, *statements):
        role = cloud.role("states.amazonaws.com", *statements)
        created = cloud.client("stepfunctions").create_state_machine(
            name=cloud.name("machine"), definition=json.dumps(definition), roleArn=role
        )
        return created["stateMachineArn"]

    return create


@pytest.fixture
def run(cloud):
    def start(arn, **given):
        started = cloud.client("stepfunctions").start_execution(
            stateMachineArn=arn, input=json.dumps(given)
        )
        return cloud.finished(started["executionArn"])

    return start


@pytest.fixture
def shell_job(cloud):
    def create(script):
        name, bucket = cloud.name("shell"), cloud.bucket()
        cloud.client("s3").put_object(Bucket=bucket, Key="job.py", Body=script.encode())
        cloud.client("glue").create_job(
            Name=name,
            Role=cloud.role("glue.amazonaws.com", *bucket_rights(bucket)),
            Command={"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/job.py"},
        )
        return name

    return create


@pytest.fixture
def runs_of(cloud):
    def states(job):
        found = cloud.client("glue").get_job_runs(JobName=job)["JobRuns"]
        return sorted(each["JobRunState"] for each in found)

    return states


@pytest.fixture
def executions(cloud):
    def inputs(arn):
        client = cloud.client("stepfunctions")
        found = client.list_executions(stateMachineArn=arn)["executions"]
        described = [client.describe_execution(executionArn=e["executionArn"]) for e in found]
        return [json.loads(each["input"]) for each in described]

    return inputs


def nesting(child):
    """Return what AWS asks of a role that starts an execution and waits for it."""
    executions = child.replace(":stateMachine:", ":execution:") + ":*"
    rest = allow(["states:DescribeExecution", "states:StopExecution"], executions)
    return allow("states:StartExecution", child), rest


GLUE = allow(["glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun"])


def test_a_nested_execution_is_waited_for_and_its_output_is_an_object(machine, run):
    child = machine(PASS)
    start = {"StateMachineArn": child, "Input": {"number": 7}}
    parent = machine(task("states:startExecution.sync:2", start), *nesting(child))

    ended = run(parent)

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"])["Output"] == {"number": 7}


def test_a_nested_execution_that_fails_fails_its_parent(machine, run):
    fail = {"Type": "Fail", "Error": "Odd", "Cause": "on purpose"}
    child = machine({"StartAt": "Stop", "States": {"Stop": fail}})
    parent = machine(
        task("states:startExecution.sync:2", {"StateMachineArn": child}), *nesting(child)
    )

    ended = run(parent)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert "on purpose" in ended["cause"]


def test_a_stopped_execution_stops_the_one_it_waits_for(cloud, machine, wait_until):
    wait = {"Type": "Wait", "Seconds": 60, "End": True}
    child = machine({"StartAt": "Rest", "States": {"Rest": wait}})
    parent = machine(
        task("states:startExecution.sync:2", {"StateMachineArn": child}), *nesting(child)
    )
    workflows = cloud.client("stepfunctions")
    started = workflows.start_execution(stateMachineArn=parent)

    def of_child():
        found = workflows.list_executions(stateMachineArn=child)["executions"]
        return [each["status"] for each in found]

    wait_until(of_child)
    workflows.stop_execution(executionArn=started["executionArn"])

    assert wait_until(of_child, lambda states: states == ["ABORTED"]) == ["ABORTED"]


def test_a_nested_execution_needs_the_permission_on_its_machine(machine, run):
    child = machine(PASS)
    parent = machine(
        task("states:startExecution.sync:2", {"StateMachineArn": child}),
        allow("states:StartExecution", f"{MACHINES}:another"),
    )

    ended = run(parent)

    assert (ended["status"], ended["error"]) == ("FAILED", "StepFunctions.StepFunctionsException")
    assert "is not authorized to perform: states:StartExecution" in ended["cause"]


def test_a_failed_job_is_retried_and_then_caught_with_its_description(
    machine, run, shell_job, runs_of
):
    job = shell_job("raise ValueError('no')")
    definition = task(
        "glue:startJobRun.sync",
        {"JobName": job},
        Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    )
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}

    ended = run(machine(definition, GLUE))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    caught = json.loads(ended["output"])
    assert caught["Error"] == "States.TaskFailed"
    assert json.loads(caught["Cause"])["ErrorMessage"] == "ValueError: no"
    assert runs_of(job) == ["FAILED", "FAILED"]


def test_a_task_over_its_timeout_stops_its_job(machine, run, shell_job, runs_of, wait_until):
    job = shell_job("import time; time.sleep(600)")

    ended = run(machine(task("glue:startJobRun.sync", {"JobName": job}, TimeoutSeconds=1), GLUE))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert wait_until(lambda: runs_of(job), lambda states: states == ["STOPPED"]) == ["STOPPED"]


def test_a_stopped_execution_stops_its_job(cloud, machine, shell_job, runs_of, wait_until):
    job = shell_job("import time; time.sleep(600)")
    arn = machine(task("glue:startJobRun.sync", {"JobName": job}), GLUE)
    started = cloud.client("stepfunctions").start_execution(stateMachineArn=arn)
    wait_until(lambda: runs_of(job))

    cloud.client("stepfunctions").stop_execution(executionArn=started["executionArn"])

    assert cloud.finished(started["executionArn"])["status"] == "ABORTED"
    assert wait_until(lambda: runs_of(job), lambda states: states == ["STOPPED"]) == ["STOPPED"]


@pytest.fixture(scope="module")
def nap(cloud):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("nap.py", NAP)
    created = cloud.client("lambda").create_function(
        FunctionName=cloud.name("nap"),
        Runtime="python3.13",
        Handler="nap.handler",
        Role=cloud.role("lambda.amazonaws.com"),
        Code={"ZipFile": code.getvalue()},
    )
    return created["FunctionArn"]


def test_a_map_runs_as_many_items_at_once_as_it_may(machine, run, nap):
    each = task("lambda:invoke", {"FunctionName": nap}, OutputPath="$.Payload")
    loop = {"Type": "Map", "MaxConcurrency": 2, "ItemsPath": "$.items", "ItemProcessor": each}
    definition = {"StartAt": "All", "States": {"All": {**loop, "End": True}}}

    ended = run(machine(definition, allow("lambda:InvokeFunction", nap)), items=list(range(8)))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    naps = json.loads(ended["output"])
    assert len(naps) == 8
    at_once = [sum(began <= start < end for began, end in naps) for start, _ in naps]
    assert max(at_once) == 2


def test_a_burst_of_calls_is_answered_by_a_few_instances(cloud, machine, run, nap):
    each = task("lambda:invoke", {"FunctionName": nap}, OutputPath="$.Payload")
    loop = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": each}
    definition = {"StartAt": "All", "States": {"All": {**loop, "End": True}}}

    ended = run(machine(definition, allow("lambda:InvokeFunction", nap)), items=list(range(30)))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert len(json.loads(ended["output"])) == 30


@pytest.fixture
def rule(cloud):
    def create(pattern, target, *statements, service="events.amazonaws.com"):
        events, name = cloud.client("events"), cloud.name("rule")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        role = cloud.role(service, *statements)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, "RoleArn": role}])
        return role

    return create


def test_an_event_starts_a_machine_as_the_rules_role(cloud, machine, rule, executions, wait_until):
    target = machine(PASS)
    rule({"source": ["test.first"]}, target, allow("states:StartExecution", target))

    cloud.client("events").put_events(
        Entries=[{"Source": "test.first", "DetailType": "Happened", "Detail": '{"a": 1}'}]
    )

    [event] = wait_until(lambda: executions(target))
    assert (event["detail-type"], event["detail"]) == ("Happened", {"a": 1})


def test_a_role_that_may_not_start_the_machine_starts_nothing_and_is_logged(
    cloud, machine, rule, executions, wait_until
):
    target = machine(PASS)
    role = rule({"source": ["test.second"]}, target)

    cloud.client("events").put_events(
        Entries=[{"Source": "test.second", "DetailType": "Happened", "Detail": "{}"}]
    )

    name = role.rsplit("/", 1)[-1]
    [denied] = wait_until(
        lambda: [
            each for each in cloud.decisions() if f":assumed-role/{name}/" in each["principal"]
        ]
    )
    assert (denied["action"], denied["decision"]) == ("states:StartExecution", "ImplicitDeny")
    assert denied["resource"] == target
    assert executions(target) == []


def test_a_role_that_eventbridge_may_not_assume_starts_nothing(
    cloud, machine, rule, executions, wait_until
):
    target = machine(PASS)
    grant = allow("states:StartExecution", target)
    rule({"source": ["test.third"]}, target, grant, service="lambda.amazonaws.com")

    cloud.client("events").put_events(
        Entries=[{"Source": "test.third", "DetailType": "Happened", "Detail": "{}"}]
    )

    log = cloud.state / "daemon.log"
    wait_until(lambda: f"event not delivered to {target}" in log.read_text())
    assert executions(target) == []


def test_a_machine_as_a_target_needs_a_role(cloud, machine):
    events = cloud.client("events")
    events.put_rule(Name="no-role", EventPattern=json.dumps({"source": ["any"]}))

    with pytest.raises(ClientError, match="RoleArn is required for target"):
        events.put_targets(Rule="no-role", Targets=[{"Id": "1", "Arn": machine(PASS)}])


def test_an_object_that_arrives_starts_a_machine(cloud, machine, rule, executions, wait_until):
    bucket, target = cloud.bucket(), machine(PASS)
    s3 = cloud.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "in/"}]}},
    }
    rule(pattern, target, allow("states:StartExecution", target))

    s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"1")
    s3.put_object(Bucket=bucket, Key="in/file", Body=b"1")

    [event] = wait_until(lambda: executions(target))
    assert event["detail"]["object"]["key"] == "in/file"


def test_a_history_tells_what_led_to_each_event_inside_of_map_items_too(cloud, machine, run):
    choice = {"Variable": "$", "NumericGreaterThan": 1, "Next": "Large"}
    items = {
        "StartAt": "How large?",
        "States": {
            "How large?": {"Type": "Choice", "Choices": [choice], "Default": "Small"},
            "Large": {"Type": "Pass", "Result": "large", "End": True},
            "Small": {"Type": "Succeed"},
        },
    }
    each = {"Type": "Map", "ItemsPath": "$.numbers", "ItemProcessor": items, "Next": "After"}
    states = {"Each": each, "After": {"Type": "Pass", "End": True}}

    ended = run(machine({"StartAt": "Each", "States": states}), numbers=[1, 2])

    history = cloud.client("stepfunctions").get_execution_history(
        executionArn=ended["executionArn"]
    )["events"]
    names = {
        event["id"]: (event.get("stateEnteredEventDetails") or event["stateExitedEventDetails"])[
            "name"
        ]
        for event in history
        if "State" in event["type"]
    }
    steps = {
        (names.get(event["previousEventId"]), names[event["id"]])
        for event in history
        if event["type"].endswith("StateEntered")
    }
    assert json.loads(ended["output"]) == [1, "large"]
    assert steps == {
        (None, "Each"),
        ("Each", "How large?"),
        ("How large?", "Large"),
        ("How large?", "Small"),
        ("Each", "After"),
    }
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
