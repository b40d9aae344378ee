"""The real CDK CLI deploys an app that knows nothing of this repository, and it runs."""

import json
import ssl
import subprocess
import uuid
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.localcloud.conftest import CDK


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
    variables = small_app.cloud.environment
    outputs = small_app.outputs
    url = (
        f"{variables['AWS_ENDPOINT_URL']}/restapis/{outputs['ApiId']}/{outputs['ApiStage']}"
        "/_user_request_/"
    )

    trust = ssl.create_default_context(cafile=variables["AWS_CA_BUNDLE"])
    answer = httpx.get(url, verify=trust, timeout=30)

    assert answer.status_code == 200, answer.text
    stored = small_app.cloud.client("dynamodb").get_item(
        TableName=outputs["TableName"], Key={"pk": {"S": "calls"}}
    )
    assert int(stored["Item"]["calls"]["N"]) >= answer.json()["calls"] >= 1
    event = small_app.cloud.client("s3").get_object(Bucket=outputs["BucketName"], Key="last.json")
    assert "httpMethod" in json.loads(event["Body"].read())


def test_the_workflow_runs_a_real_spark_job_and_real_training_jobs(small_app):
    names = [unique("first"), unique("second")]

    execution = small_app.run_workflow(models=names, rows="7")

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
    ("role", "action", "given"),
    [
        ("WorkflowRole", "lambda:InvokeFunction", {}),
        ("WorkflowRole", "glue:StartJobRun", {"rows": "7"}),
        ("WorkflowRole", "sagemaker:CreateTrainingJob", {}),
        ("WorkflowRole", "iam:PassRole", {}),
        ("FunctionRole", "dynamodb:UpdateItem", {}),
    ],
)
def test_a_missing_grant_fails_the_run_with_that_action_named(small_app, role, action, given):
    with without_grant(small_app.cloud, small_app.outputs[role], action):
        execution = small_app.run_workflow(models=[unique("denied")], **given)

    assert execution["status"] == "FAILED"
    assert f"is not authorized to perform: {action}" in execution["cause"]
    denied = [each for each in small_app.cloud.decisions() if each["decision"] != "Allow"]
    assert action in {each["action"] for each in denied}


def test_stopping_the_execution_stops_its_job(small_app, wait_until):
    glue = small_app.cloud.client("glue")
    [job] = [
        each["Name"]
        for each in glue.get_jobs()["Jobs"]
        if each["DefaultArguments"].get("--bucket") == small_app.outputs["BucketName"]
    ]
    before = {each["Id"] for each in glue.get_job_runs(JobName=job)["JobRuns"]}
    execution = small_app.start_workflow(rows="1000000000", models=[])
    [run] = wait_until(
        lambda: [r for r in glue.get_job_runs(JobName=job)["JobRuns"] if r["Id"] not in before]
    )

    small_app.cloud.client("stepfunctions").stop_execution(executionArn=execution)

    def state():
        return glue.get_job_run(JobName=job, RunId=run["Id"])["JobRun"]["JobRunState"]

    running = {"STARTING", "RUNNING", "STOPPING", "WAITING"}
    assert wait_until(state, lambda now: now not in running) == "STOPPED"


def test_a_deployment_whose_client_was_killed_is_finished_by_the_next_one(
    small_app, wait_until, tmp_path
):
    cloud = small_app.cloud
    assembly = tmp_path / "assembly"
    cloud.program(
        str(CDK),
        "synth",
        "--quiet",
        "-c",
        "name=Again",
        "-o",
        str(assembly),
        folder=small_app.folder,
    )
    deploy = [str(CDK), "deploy", "--app", str(assembly), "--require-approval", "never"]
    stacks = cloud.client("cloudformation")
    with (tmp_path / "cdk.log").open("w") as log:
        client = subprocess.Popen(
            deploy, cwd=tmp_path, env=cloud.client_variables(), stdout=log, stderr=log
        )
        wait_until(
            lambda: [s for s in stacks.list_stacks()["StackSummaries"] if s["StackName"] == "Again"]
        )
        client.kill()
        client.wait()

    cloud.program(*deploy, folder=tmp_path)

    [stack] = stacks.describe_stacks(StackName="Again")["Stacks"]
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_a_deployed_stack_survives_down_and_up(small_app):
    cloud, outputs = small_app.cloud, small_app.outputs
    lambdas, tables = cloud.client("lambda"), cloud.client("dynamodb")
    lambdas.invoke(FunctionName=outputs["FunctionName"], Payload=b'{"first": 1}')
    wanted = {"TableName": outputs["TableName"], "Key": {"pk": {"S": "calls"}}}
    calls = int(tables.get_item(**wanted)["Item"]["calls"]["N"])

    cloud.command("down", check=True)
    cloud.command("up", "--port", "auto", check=True)

    stacks = cloud.client("cloudformation").describe_stacks(StackName="Small")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"
    assert int(tables.get_item(**wanted)["Item"]["calls"]["N"]) == calls
    body = cloud.client("s3").get_object(Bucket=outputs["BucketName"], Key="last.json")["Body"]
    assert json.loads(body.read()) == {"first": 1}
    answer = lambdas.invoke(FunctionName=outputs["FunctionName"], Payload=b"{}")
    assert json.loads(json.loads(answer["Payload"].read())["body"]) == {"calls": calls + 1}
