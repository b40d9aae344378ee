"""The real CDK CLI deploys an app that knows nothing of this repository, and it runs."""

import json
import uuid
from contextlib import contextmanager

import httpx
import pytest


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


@contextmanager
def without_grant(cloud, role, action):
    """Remove one action from a role's inline policies for a while."""
    iam = cloud.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in names
    }
    for name, document in documents.items():
        kept = [smaller(each, action) for each in document["Statement"]]
        less = {**document, "Statement": [each for each in kept if each["Action"]]}
        put(iam, role, name, less)
    try:
        yield
    finally:
        for name, document in documents.items():
            put(iam, role, name, document)


def smaller(statement, action):
    actions = statement["Action"]
    listed = [actions] if isinstance(actions, str) else actions
    return {**statement, "Action": [each for each in listed if each != action]}


def put(iam, role, name, document):
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def test_the_api_calls_the_function_which_writes_to_table_and_bucket(small_app):
    variables = small_app.cloud.environment()
    outputs = small_app.outputs
    url = (
        f"{variables['AWS_ENDPOINT_URL']}/restapis/{outputs['ApiId']}/{outputs['ApiStage']}"
        "/_user_request_/"
    )

    answer = httpx.get(url, verify=variables["AWS_CA_BUNDLE"], timeout=30)

    assert answer.status_code == 200, answer.text
    stored = small_app.cloud.client("dynamodb").get_item(
        TableName=outputs["TableName"], Key={"pk": {"S": "calls"}}
    )
    assert int(stored["Item"]["calls"]["N"]) >= answer.json()["calls"] >= 1
    event = small_app.cloud.client("s3").get_object(Bucket=outputs["BucketName"], Key="last.json")
    assert "httpMethod" in json.loads(event["Body"].read())


def test_the_workflow_runs_a_real_spark_job_and_real_training_jobs(small_app):
    names = [unique("first"), unique("second")]

    execution = small_app.run_workflow(names, rows="7")

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    trained = json.loads(execution["output"])
    assert [each["TrainingJobName"] for each in trained] == names
    assert {each["TrainingJobStatus"] for each in trained} == {"Completed"}
    logs = small_app.cloud.client("logs")
    for name in names:
        events = logs.filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name
        )["events"]
        assert any("total=21" in each["message"] for each in events), events


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("WorkflowRole", "lambda:InvokeFunction"),
        ("WorkflowRole", "glue:StartJobRun"),
        ("WorkflowRole", "sagemaker:CreateTrainingJob"),
        ("WorkflowRole", "iam:PassRole"),
        ("FunctionRole", "dynamodb:UpdateItem"),
    ],
)
def test_a_missing_grant_fails_the_run_with_that_action_named(small_app, role, action):
    with without_grant(small_app.cloud, small_app.outputs[role], action):
        execution = small_app.run_workflow([unique("denied")])

    assert execution["status"] == "FAILED"
    assert f"is not authorized to perform: {action}" in execution["cause"]
    denied = [each for each in small_app.cloud.decisions() if each["decision"] != "Allow"]
    assert action in {each["action"] for each in denied}


def test_stopping_the_execution_stops_its_job(small_app):
    workflows = small_app.cloud.client("stepfunctions")
    glue = small_app.cloud.client("glue")
    [job] = [each["Name"] for each in glue.get_jobs()["Jobs"]]
    before = {each["Id"] for each in glue.get_job_runs(JobName=job)["JobRuns"]}
    started = workflows.start_execution(
        stateMachineArn=small_app.outputs["WorkflowArn"],
        input=json.dumps({"rows": "1000000000", "models": []}),
    )
    run = wait_until(
        lambda: next(
            (r for r in glue.get_job_runs(JobName=job)["JobRuns"] if r["Id"] not in before), None
        )
    )

    workflows.stop_execution(executionArn=started["executionArn"])

    def ended():
        state = glue.get_job_run(JobName=job, RunId=run["Id"])["JobRun"]["JobRunState"]
        return state if state not in {"STARTING", "RUNNING", "STOPPING", "WAITING"} else None

    assert wait_until(ended) == "STOPPED"


def wait_until(look, seconds=60):
    import time  # noqa: PLC0415  the AWS APIs cannot be awaited

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")
