"""Jobs that a state machine waits for, and how they end: killed, stopped, in time, too late."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

PREFIX = "arn:aws:states:::"
REGION = "us-east-1"
SPECIFICATION = "version: 0.2\nphases:\n  build:\n    commands:\n      - "


@pytest.fixture
def start(cloud):
    """Start a machine of one task, whose role may do what the statements say."""

    def begin(resource, parameters, *statements, machine=None, **fields):
        task = {"Type": "Task", "Resource": f"{PREFIX}{resource}", "Parameters": parameters}
        states = {"Only": {**task, "End": True, **fields}}
        created = cloud.client("stepfunctions").create_state_machine(
            name=cloud.name("machine"),
            definition=json.dumps({"StartAt": "Only", "States": states, **(machine or {})}),
            roleArn=cloud.role("states.amazonaws.com", *statements),
        )
        started = cloud.client("stepfunctions").start_execution(
            stateMachineArn=created["stateMachineArn"]
        )
        return started["executionArn"]

    return begin


@pytest.fixture
def run(cloud, start):
    return lambda *given, **fields: cloud.finished(start(*given, **fields))


@pytest.fixture
def build(cloud):
    """Create a build project whose build runs one command."""

    def create(command):
        name = cloud.name("project")
        cloud.client("codebuild").create_project(
            name=name,
            source={"type": "NO_SOURCE", "buildspec": f"{SPECIFICATION}{command}\n"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=cloud.role("codebuild.amazonaws.com"),
        )
        return name

    return create


BUILDS = allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"])


def test_a_build_is_waited_for(run, build):
    ended = run("codebuild:startBuild.sync", {"ProjectName": build("echo hello")}, BUILDS)

    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"])["Build"]["BuildStatus"] == "SUCCEEDED"


def test_a_build_that_fails_fails_its_task_with_its_description(run, build):
    ended = run("codebuild:startBuild.sync", {"ProjectName": build("exit 3")}, BUILDS)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["Build"]["BuildStatus"] == "FAILED"


def test_a_build_over_the_tasks_timeout_is_stopped(cloud, run, build, wait_until):
    name = build("sleep 600")
    ended = run("codebuild:startBuild.sync", {"ProjectName": name}, BUILDS, TimeoutSeconds=2)

    builds = cloud.client("codebuild")
    ids = builds.list_builds_for_project(projectName=name)["ids"]
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    [stopped] = wait_until(
        lambda: builds.batch_get_builds(ids=ids)["builds"],
        lambda found: all(each["buildComplete"] for each in found),
    )
    assert stopped["buildStatus"] == "STOPPED"


def test_a_build_needs_the_permission_on_its_project(run, build):
    other = allow("codebuild:StartBuild", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/other")
    ended = run("codebuild:startBuild.sync", {"ProjectName": build("true")}, other)

    assert ended["error"] == "CodeBuild.CodeBuildException"
    assert "is not authorized to perform: codebuild:StartBuild" in ended["cause"]


@pytest.fixture
def training(cloud):
    """Return the parameters of a training job that takes its time."""
    bucket = cloud.bucket()
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"1 2 3")
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket), allow("ecr:*"))
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/numbers/"}
    parameters = {
        "TrainingJobName": cloud.name("workflow-training"),
        "RoleArn": role,
        "HyperParameters": {"sleep": "600"},
        "AlgorithmSpecification": {"TrainingImage": cloud.image, "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
    }
    jobs = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/*"
    verbs = [f"sagemaker:{verb}TrainingJob" for verb in ("Create", "Describe", "Stop")]
    return parameters, (allow(verbs, jobs), allow("iam:PassRole", role))


def kill(job_name):
    """Kill a job's processes, as the kernel does when memory runs out."""
    mark = f"TRAINING_JOB_NAME={job_name}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_job = mark in (folder / "environ").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if is_job:
            os.kill(int(folder.name), signal.SIGKILL)


def log_of(cloud, name):
    try:
        return cloud.log("/aws/sagemaker/TrainingJobs", name)
    except cloud.client("logs").exceptions.ResourceNotFoundException:
        return ""  # nothing has been written yet


RETRY = [{"ErrorEquals": ["SageMaker.ResourceLimitExceededException"], "MaxAttempts": 5}]


def test_a_killed_training_job_fails_its_task_once_with_code_and_log(
    cloud, start, training, wait_until
):
    parameters, rights = training
    name = parameters["TrainingJobName"]
    execution = start("sagemaker:createTrainingJob.sync", parameters, *rights, Retry=RETRY)
    wait_until(lambda: "numbers=3" in log_of(cloud, name))

    kill(name)

    ended = cloud.finished(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(ended["cause"])
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].endswith("exit code: 137")
    assert "numbers=3 mean=2.0" in job["FailureReason"]
    assert not job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    history = cloud.client("stepfunctions").get_execution_history(executionArn=execution)
    scheduled = [each for each in history["events"] if each["type"] == "TaskScheduled"]
    assert len(scheduled) == 1


def test_an_item_that_fails_stops_the_others_of_its_map(cloud, training, wait_until):
    parameters, rights = training
    slow, never = name_of(parameters), cloud.name("never-started")
    item = {
        "Type": "Task",
        "Resource": f"{PREFIX}sagemaker:createTrainingJob.sync",
        "Parameters": {**parameters, "TrainingJobName.$": "$"},
        "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}],
        "End": True,
    }
    del item["Parameters"]["TrainingJobName"]
    wrong = {"Type": "Fail", "Error": "Odd", "Cause": "on purpose"}
    wait = {"Type": "Wait", "Seconds": 2, "Next": "Fail"}
    choice = {"Variable": "$", "StringEquals": "fail", "Next": "Wait"}
    states = {
        "Which?": {"Type": "Choice", "Choices": [choice], "Default": "Train"},
        "Train": item,
        "Wait": wait,
        "Fail": wrong,
    }
    each = {"StartAt": "Which?", "States": states}
    loop = {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": each, "End": True}
    workflows = cloud.client("stepfunctions")
    created = workflows.create_state_machine(
        name=cloud.name("machine"),
        definition=json.dumps({"StartAt": "All", "States": {"All": loop}}),
        roleArn=cloud.role("states.amazonaws.com", *rights),
    )

    started = workflows.start_execution(
        stateMachineArn=created["stateMachineArn"], input=json.dumps([slow, "fail", never])
    )

    ended = cloud.finished(started["executionArn"])
    assert (ended["status"], ended["error"]) == ("FAILED", "Odd")
    jobs = cloud.client("sagemaker")
    wait_until(
        lambda: jobs.describe_training_job(TrainingJobName=slow),
        lambda job: job["TrainingJobStatus"] == "Stopped",
    )
    assert jobs.list_training_jobs(NameContains=never)["TrainingJobSummaries"] == []


def test_a_training_job_over_its_own_limit_fails_its_task_as_stopped(run, training):
    parameters, rights = training
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    ended = run("sagemaker:createTrainingJob.sync", {**parameters, **limit}, *rights)

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_a_stopped_execution_stays_as_it_ended(cloud, start, training, wait_until):
    parameters, rights = training
    execution = start("sagemaker:createTrainingJob.sync", parameters, *rights)
    jobs, workflows = cloud.client("sagemaker"), cloud.client("stepfunctions")
    wait_until(
        lambda: jobs.list_training_jobs(NameContains=name_of(parameters))["TrainingJobSummaries"]
    )
    workflows.stop_execution(executionArn=execution)

    wait_until(
        lambda: jobs.describe_training_job(TrainingJobName=name_of(parameters)),
        lambda job: job["TrainingJobStatus"] == "Stopped",
    )

    events = workflows.get_execution_history(executionArn=execution)["events"]
    assert workflows.describe_execution(executionArn=execution)["status"] == "ABORTED"
    assert "ExecutionFailed" not in {event["type"] for event in events}


def name_of(parameters):
    return parameters["TrainingJobName"]


def test_an_execution_over_its_machines_time_times_out_and_stops_its_job(
    cloud, run, training, wait_until
):
    parameters, rights = training
    ended = run(
        "sagemaker:createTrainingJob.sync", parameters, *rights, machine={"TimeoutSeconds": 2}
    )

    assert ended["status"] == "TIMED_OUT"
    job = wait_until(
        lambda: cloud.client("sagemaker").describe_training_job(
            TrainingJobName=parameters["TrainingJobName"]
        ),
        lambda found: found["TrainingJobStatus"] != "InProgress",
    )
    assert job["TrainingJobStatus"] in ("Stopped", "Stopping")
    history = cloud.client("stepfunctions").get_execution_history(
        executionArn=ended["executionArn"], reverseOrder=True
    )["events"]
    assert history[0]["type"] == "ExecutionTimedOut"


@pytest.fixture
def queue(cloud):
    """A queue that anybody may send to: its URL, and what has arrived."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=cloud.name("heard"))["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[-1]}"
    anybody = {**allow("sqs:SendMessage", arn), "Principal": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def heard():
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return url, arn, heard


def test_an_event_is_put_with_its_detail_as_an_object(cloud, run, queue, wait_until):
    _, arn, heard = queue
    events, rule = cloud.client("events"), cloud.name("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["test.workflow"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    entry = {"Source": "test.workflow", "DetailType": "Happened", "Detail": {"number": 1}}

    ended = run("events:putEvents", {"Entries": [entry]}, allow("events:PutEvents"))

    assert ended["status"] == "SUCCEEDED", ended
    [event] = wait_until(heard)
    assert event["detail"] == {"number": 1}
    assert ended["executionArn"] in event["resources"]


def test_a_message_is_sent_to_a_queue_and_published_to_a_topic(cloud, run, queue, wait_until):
    url, arn, heard = queue
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=cloud.name("topic"))["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)

    sent = run(
        "sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"by": "sqs"}}, allow("sqs:SendMessage")
    )
    assert sent["status"] == "SUCCEEDED", sent
    assert wait_until(heard) == [{"by": "sqs"}]
    published = run(
        "sns:publish", {"TopicArn": topic, "Message": {"by": "sns"}}, allow("sns:Publish", topic)
    )
    assert published["status"] == "SUCCEEDED", published
    assert wait_until(heard) == [{"by": "sns"}]


def test_nothing_is_put_sent_or_published_without_the_permission(run, queue):
    url, _, heard = queue
    calls = {
        "events:putEvents": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {}}]},
        "sqs:sendMessage": {"QueueUrl": url, "MessageBody": "no"},
        "sns:publish": {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "Message": "no"},
    }
    for resource, parameters in calls.items():
        ended = run(resource, parameters)
        assert ended["status"] == "FAILED", resource
        assert ended["error"].endswith("AccessDeniedException"), resource
    assert heard() == []


def test_nobody_waits_for_the_token_of_an_execution_that_was_stopped(
    cloud, start, queue, wait_until
):
    url, _, heard = queue
    message = {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}}
    execution = start("sqs:sendMessage.waitForTaskToken", message, allow("sqs:SendMessage"))
    [told] = wait_until(heard)
    workflows = cloud.client("stepfunctions")

    workflows.stop_execution(executionArn=execution)

    def refused():
        try:
            workflows.send_task_success(taskToken=told["token"], output="{}")
        except workflows.exceptions.TaskDoesNotExist:
            return True
        return False

    assert wait_until(refused)
    assert workflows.describe_execution(executionArn=execution)["status"] == "ABORTED"
