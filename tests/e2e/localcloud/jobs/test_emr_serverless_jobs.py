"""EMR Serverless, through boto3 and the AWS CLI: applications, and Spark jobs that really run."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

SPARK_SECONDS = 300
RELEASE = "emr-7.11.0"
SERVICE = "emr-serverless.amazonaws.com"
ENDED = ("SUCCESS", "FAILED", "CANCELLED")

COUNT = """
import os
import sys

from pyspark.sql import SparkSession

import shared_names

source, target = sys.argv[1:]
spark = SparkSession.builder.appName("count").getOrCreate()
rows = spark.read.option("header", True).csv(source)
rows.selectExpr("id", "cast(id as int) % 2 as parity").write.partitionBy("parity").parquet(target)
again = spark.read.parquet(target)
print(shared_names.PREFIX, again.count(), spark.conf.get("spark.sql.ansi.enabled"))
print("mode", os.environ["MODE"], spark.conf.get("spark.custom"))
"""


@pytest.fixture(scope="module")
def emr(cloud):
    return cloud.client("emr-serverless")


@pytest.fixture(scope="module")
def lake(cloud):
    bucket = cloud.bucket()
    s3 = cloud.client("s3")
    rows = "id\n" + "".join(f"{n}\n" for n in range(1000))
    s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=rows.encode())
    library = io.BytesIO()
    with zipfile.ZipFile(library, "w") as packed:
        packed.writestr("shared_names.py", "PREFIX = 'counted'")
    s3.put_object(Bucket=bucket, Key="lib/library.zip", Body=library.getvalue())
    s3.put_object(Bucket=bucket, Key="count.py", Body=COUNT.encode())
    return bucket


@pytest.fixture(scope="module")
def role(cloud, lake):
    return cloud.role(SERVICE, *bucket_rights(lake))


@pytest.fixture
def application(cloud, emr):
    made = emr.create_application(
        name=cloud.name("app"), releaseLabel=RELEASE, type="SPARK", clientToken=cloud.name("t")
    )
    return made["applicationId"]


@pytest.fixture
def start(cloud, emr, lake, role, application):
    def begin(script: str, *arguments: str, role=role, parameters: str = "", **fields) -> str:
        key = f"{cloud.name('job')}.py"
        cloud.client("s3").put_object(Bucket=lake, Key=key, Body=script.encode())
        driver = {
            "entryPoint": f"s3://{lake}/{key}",
            "entryPointArguments": list(arguments),
            "sparkSubmitParameters": f"--py-files s3://{lake}/lib/library.zip {parameters}",
        }
        answer = emr.start_job_run(
            applicationId=application,
            executionRoleArn=role,
            jobDriver={"sparkSubmit": driver},
            **fields,
        )
        return answer["jobRunId"]

    return begin


@pytest.fixture
def finished(emr, application, wait_until):
    def wait(run_id: str, seconds: float = SPARK_SECONDS):
        return wait_until(
            lambda: emr.get_job_run(applicationId=application, jobRunId=run_id)["jobRun"],
            lambda run: run["state"] in ENDED,
            seconds,
        )

    return wait


def test_spark_reads_and_writes_s3_and_logs_go_where_they_were_asked_to(
    cloud, emr, lake, application, start, finished
):
    group = cloud.name("/emr/logs")
    run_id = start(
        COUNT,
        f"s3://{lake}/in/",
        f"s3://{lake}/out",
        parameters=(
            "--conf spark.sql.ansi.enabled=true --conf spark.driver.memory=64g "
            "--conf spark.emr-serverless.driverEnv.MODE=batch"
        ),
        name="count",
        configurationOverrides={
            "applicationConfiguration": [
                {"classification": "spark-defaults", "properties": {"spark.custom": "7"}}
            ],
            "monitoringConfiguration": {
                "s3MonitoringConfiguration": {"logUri": f"s3://{lake}/logs/"},
                "cloudWatchLoggingConfiguration": {"enabled": True, "logGroupName": group},
            },
        },
    )
    ended = finished(run_id)
    assert ended["state"] == "SUCCESS", ended
    assert ended["name"] == "count"
    assert ended["totalExecutionDurationSeconds"] >= 1
    place = f"applications/{application}/jobs/{run_id}/SPARK_DRIVER"
    log = cloud.log(group, f"{place}/stdout")
    assert "counted 1000 true" in log
    assert "mode batch 7" in log
    s3 = cloud.client("s3")
    stored = s3.get_object(Bucket=lake, Key=f"logs/{place}/stdout.gz")["Body"].read()
    assert b"counted 1000" in gzip.decompress(stored)
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=lake, Prefix="out/")["Contents"]]
    assert any(key.startswith("out/parity=1/") for key in keys)
    assert emr.get_application(applicationId=application)["application"]["state"] == "STARTED"


def test_a_job_reaches_s3_as_its_execution_role_and_no_further(
    cloud, lake, application, start, finished
):
    reader = cloud.role(
        SERVICE,
        allow("s3:ListBucket", f"arn:aws:s3:::{lake}"),
        allow("s3:GetObject", f"arn:aws:s3:::{lake}/*"),
    )
    run_id = start(
        COUNT,
        f"s3://{lake}/in/",
        f"s3://{lake}/denied",
        role=reader,
    )
    ended = finished(run_id)
    assert ended["state"] == "FAILED"
    assert "s3:PutObject" in ended["stateDetails"]
    assert f"s3://{lake}/denied/" in ended["stateDetails"]


def test_a_script_that_raises_fails_the_run_with_its_exception(start, finished):
    ended = finished(start("raise ValueError('three columns are missing')"))
    assert (ended["state"], ended["stateDetails"]) == (
        "FAILED",
        "ValueError: three columns are missing",
    )


def test_one_client_token_starts_one_run(emr, application, start, finished):
    first = start("print('once')", clientToken="one-token")
    assert start("print('once')", clientToken="one-token") == first
    assert finished(first)["state"] == "SUCCESS"
    assert [run["id"] for run in emr.list_job_runs(applicationId=application)["jobRuns"]] == [first]


def test_a_run_is_cancelled_and_its_application_waits_for_it(
    emr, application, start, finished, wait_until
):
    run_id = start("import time; print('up', flush=True); time.sleep(60)")
    wait_until(
        lambda: emr.get_job_run(applicationId=application, jobRunId=run_id)["jobRun"]["state"],
        lambda state: state == "RUNNING",
    )
    with pytest.raises(ClientError, match="have not ended"):
        emr.stop_application(applicationId=application)
    emr.cancel_job_run(applicationId=application, jobRunId=run_id)
    assert finished(run_id)["state"] == "CANCELLED"
    with pytest.raises(ClientError, match="has ended"):
        emr.cancel_job_run(applicationId=application, jobRunId=run_id)
    emr.stop_application(applicationId=application)
    listed = emr.list_job_runs(applicationId=application, states=["CANCELLED"])["jobRuns"]
    assert [run["id"] for run in listed] == [run_id]


def test_an_application_is_changed_and_deleted_only_while_it_is_stopped(emr, application):
    emr.start_application(applicationId=application)
    with pytest.raises(ClientError, match="is STARTED"):
        emr.delete_application(applicationId=application)
    with pytest.raises(ClientError, match="is STARTED"):
        emr.update_application(applicationId=application, clientToken="u", architecture="ARM64")
    emr.stop_application(applicationId=application)
    changed = emr.update_application(
        applicationId=application, clientToken="u", architecture="ARM64"
    )
    assert changed["application"]["architecture"] == "ARM64"
    emr.delete_application(applicationId=application)
    assert emr.get_application(applicationId=application)["application"]["state"] == "TERMINATED"


def test_an_application_that_may_not_start_itself_takes_no_job(cloud, emr, start, application):
    emr.update_application(
        applicationId=application,
        clientToken="u",
        autoStartConfiguration={"enabled": False},
    )
    with pytest.raises(ClientError, match="does not start itself"):
        start("")


def test_an_unknown_application_run_or_image_is_refused(emr, application, cloud):
    with pytest.raises(emr.exceptions.ResourceNotFoundException):
        emr.get_application(applicationId="00nowhere")
    with pytest.raises(emr.exceptions.ResourceNotFoundException):
        emr.get_job_run(applicationId=application, jobRunId="00nowhere")
    missing = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/nothing:1"
    with pytest.raises(ClientError, match="not found"):
        emr.create_application(
            releaseLabel=RELEASE,
            type="SPARK",
            clientToken=cloud.name("t"),
            imageConfiguration={"imageUri": missing},
        )


def test_what_cannot_run_here_is_refused_by_name(emr, start, cloud):
    with pytest.raises(ClientError, match="--archives"):
        start("", parameters="--archives s3://x/y.tar.gz")
    with pytest.raises(ClientError, match="unrecognized arguments: --deploy"):
        start("", parameters="--deploy cluster")
    with pytest.raises(ClientError, match="not HIVE"):
        emr.create_application(releaseLabel=RELEASE, type="HIVE", clientToken=cloud.name("t"))


def test_starting_a_run_needs_the_application_and_the_right_to_pass_the_role(
    cloud, lake, role, application
):
    arn = f"arn:aws:emr-serverless:us-east-1:{ACCOUNT}:/applications/{application}"
    request = {
        "applicationId": application,
        "executionRoleArn": role,
        "jobDriver": {"sparkSubmit": {"entryPoint": f"s3://{lake}/count.py"}},
    }
    unable = cloud.client("emr-serverless", cloud.assume(allow("iam:PassRole", role)))
    with pytest.raises(ClientError, match="emr-serverless:StartJobRun"):
        unable.start_job_run(**request)
    handless = cloud.client(
        "emr-serverless", cloud.assume(allow("emr-serverless:StartJobRun", arn))
    )
    with pytest.raises(ClientError, match="iam:PassRole"):
        handless.start_job_run(**request)


def test_a_role_that_the_service_may_not_assume_is_refused(cloud, start):
    with pytest.raises(ClientError, match="role"):
        start("", role=cloud.role("glue.amazonaws.com"))


def test_a_workflow_waits_for_a_run_and_its_failure_is_the_task_s(
    cloud, emr, lake, role, application
):
    arn = f"arn:aws:emr-serverless:us-east-1:{ACCOUNT}:/applications/{application}"
    cloud.client("s3").put_object(Bucket=lake, Key="fail.py", Body=b"raise ValueError('no rows')")
    cloud.client("s3").put_object(Bucket=lake, Key="fine.py", Body=b"print('fine')")
    machine_role = cloud.role(
        "states.amazonaws.com",
        allow(["emr-serverless:StartJobRun"], arn),
        allow(["emr-serverless:GetJobRun", "emr-serverless:CancelJobRun"], f"{arn}/jobruns/*"),
        allow("iam:PassRole", role),
    )
    states = cloud.client("stepfunctions")

    def execute(script: str):
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::emr-serverless:startJobRun.sync",
            "Parameters": {
                "ApplicationId": application,
                "ExecutionRoleArn": role,
                "JobDriver": {"SparkSubmit": {"EntryPoint": f"s3://{lake}/{script}"}},
            },
            "ResultSelector": {"run.$": "$.JobRunId", "state.$": "$.State"},
            "End": True,
        }
        machine = states.create_state_machine(
            name=cloud.name("emr"),
            definition=json.dumps({"StartAt": "Run", "States": {"Run": task}}),
            roleArn=machine_role,
        )
        return cloud.finished(
            states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        )

    good = execute("fine.py")
    assert good["status"] == "SUCCEEDED", good
    assert json.loads(good["output"])["state"] == "SUCCESS"
    bad = execute("fail.py")
    assert bad["error"] == "States.TaskFailed"
    assert "no rows" in bad["cause"]


def test_the_command_line_client_creates_runs_and_deletes(cloud, lake, role):
    def aws(*arguments: str) -> dict:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("aws")),
                "emr-serverless",
                *arguments,
                "--output",
                "json",
            ],
            env=cloud.client_variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    cloud.client("s3").put_object(Bucket=lake, Key="hello.py", Body=b"print('hello')")
    made = aws("create-application", "--type", "SPARK", "--release-label", RELEASE)
    named = ("--application-id", made["applicationId"])
    aws("start-application", *named)
    driver = {"sparkSubmit": {"entryPoint": f"s3://{lake}/hello.py"}}
    run = aws(
        *("start-job-run", *named, "--execution-role-arn", role),
        *("--job-driver", json.dumps(driver)),
    )
    deadline = time.monotonic() + SPARK_SECONDS
    described = {"state": ""}
    while described["state"] not in ENDED and time.monotonic() < deadline:
        described = aws("get-job-run", *named, "--job-run-id", run["jobRunId"])["jobRun"]
    assert described["state"] == "SUCCESS", described
    tags = ("--resource-arn", made["arn"])
    aws("tag-resource", *tags, "--tags", "team=data")
    assert aws("list-tags-for-resource", *tags)["tags"] == {"team": "data"}
    aws("stop-application", *named)
    aws("delete-application", *named)
    states = {app["id"]: app["state"] for app in aws("list-applications")["applications"]}
    assert states[made["applicationId"]] == "TERMINATED"
