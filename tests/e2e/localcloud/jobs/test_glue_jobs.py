"""Glue jobs, through boto3: Spark really runs, and reaches S3 as the job's role and no further."""

from __future__ import annotations

import io
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

SPARK_SECONDS = 300
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")

COUNT = """
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

import shared_names

args = getResolvedOptions(sys.argv, ["JOB_NAME", "source", "target"])
spark = GlueContext(SparkContext.getOrCreate()).spark_session
job = Job(spark)
job.init(args["JOB_NAME"], args)
rows = spark.read.option("header", True).csv(args["source"])
rows.selectExpr("id", "cast(id as int) % 2 as parity").write.partitionBy("parity").parquet(
    args["target"]
)
again = spark.read.parquet(args["target"])
print(shared_names.PREFIX, args["JOB_NAME"], again.count())
job.commit()
"""


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
    return bucket


@pytest.fixture(scope="module")
def role(cloud, lake):
    return cloud.role("glue.amazonaws.com", *bucket_rights(lake))


@pytest.fixture
def define(cloud, lake, role):
    def create(script: str, role=role, command="glueetl", **fields):
        name = cloud.name("job")
        cloud.client("s3").put_object(Bucket=lake, Key=f"{name}.py", Body=script.encode())
        cloud.client("glue").create_job(
            Name=name,
            Role=role,
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            Command={"Name": command, "ScriptLocation": f"s3://{lake}/{name}.py"},
            DefaultArguments={
                "--extra-py-files": f"s3://{lake}/lib/library.zip",
                "--source": f"s3://{lake}/in/",
                "--enable-metrics": "true",
            },
            **fields,
        )
        return name

    return create


@pytest.fixture
def finished(cloud, wait_until):
    def wait(name: str, run_id: str):
        return wait_until(
            lambda: cloud.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"],
            lambda run: run["JobRunState"] in ENDED,
            SPARK_SECONDS,
        )

    return wait


@pytest.fixture
def run(cloud, define, finished):
    def start(script: str, arguments=None, **fields):
        name = define(script, **fields)
        started = cloud.client("glue").start_job_run(JobName=name, Arguments=arguments or {})
        return finished(name, started["JobRunId"])

    return start


def test_a_spark_job_reads_and_writes_s3_uris(cloud, lake, run):
    ended = run(COUNT, {"--target": f"s3://{lake}/out/parity"})
    assert ended["JobRunState"] == "SUCCEEDED", ended.get("ErrorMessage")
    assert ended["ExecutionTime"] >= 1
    assert ended["Arguments"]["--target"] == f"s3://{lake}/out/parity"
    listed = cloud.client("s3").list_objects_v2(Bucket=lake, Prefix="out/parity/")["Contents"]
    folders = {item["Key"].split("/")[2] for item in listed}
    assert folders == {"_SUCCESS", "parity=0", "parity=1"}
    output = cloud.log("/aws-glue/jobs/output", ended["Id"])
    assert output == f"counted {ended['JobName']} 1000"


def test_a_role_that_may_not_write_fails_the_job_with_the_action_and_the_key_named(
    cloud, lake, run
):
    reader = cloud.role(
        "glue.amazonaws.com",
        allow("s3:ListBucket", f"arn:aws:s3:::{lake}"),
        allow("s3:GetObject", f"arn:aws:s3:::{lake}/*"),
    )
    ended = run(COUNT, {"--target": f"s3://{lake}/denied"}, role=reader)
    assert ended["JobRunState"] == "FAILED"
    assert "s3:PutObject" in ended["ErrorMessage"]
    assert f"s3://{lake}/denied/" in ended["ErrorMessage"]


def test_a_script_that_raises_fails_the_run_with_its_exception(cloud, run):
    ended = run("raise ValueError('three columns are missing')", command="pythonshell")
    assert ended["JobRunState"] == "FAILED"
    assert ended["ErrorMessage"] == "ValueError: three columns are missing"
    assert "Traceback" in cloud.log("/aws-glue/jobs/error", ended["Id"])


def test_a_missing_script_fails_the_run(cloud, lake, define, finished):
    name = define("", command="pythonshell")
    cloud.client("s3").delete_object(Bucket=lake, Key=f"{name}.py")
    run_id = cloud.client("glue").start_job_run(JobName=name)["JobRunId"]
    ended = finished(name, run_id)
    assert ended["JobRunState"] == "FAILED"
    assert f"{name}.py" in ended["ErrorMessage"] or "NoSuchKey" in ended["ErrorMessage"]


def test_runs_over_the_concurrency_limit_are_refused_and_a_run_can_be_stopped(
    cloud, define, finished, wait_until
):
    glue = cloud.client("glue")
    name = define("import time; print('up', flush=True); time.sleep(60)", command="pythonshell")
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    wait_until(
        lambda: glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]["JobRunState"],
        lambda state: state == "RUNNING",
    )
    stopped = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_unknown"])
    assert stopped["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert [error["JobRunId"] for error in stopped["Errors"]] == ["jr_unknown"]
    assert finished(name, run_id)["JobRunState"] == "STOPPED"
    assert [r["Id"] for r in glue.get_job_runs(JobName=name)["JobRuns"]] == [run_id]


def test_as_many_runs_as_the_job_allows_go_side_by_side(cloud, define, finished):
    glue = cloud.client("glue")
    script = "import time; time.sleep(1)"
    limit = {"MaxConcurrentRuns": 2}
    name = define(script, command="pythonshell", ExecutionProperty=limit)
    runs = [glue.start_job_run(JobName=name)["JobRunId"] for _ in range(2)]
    assert [finished(name, each)["JobRunState"] for each in runs] == ["SUCCEEDED"] * 2


def test_starting_a_run_needs_the_permission_on_the_job(cloud, define):
    name = define("", command="pythonshell")
    jobs = f"arn:aws:glue:us-east-1:{ACCOUNT}:job"
    other = cloud.client("glue", cloud.assume(allow("glue:StartJobRun", f"{jobs}/other")))
    with pytest.raises(ClientError, match="glue:StartJobRun"):
        other.start_job_run(JobName=name)


def test_a_role_that_glue_may_not_assume_is_refused(cloud, define):
    name = define("", role=cloud.role("sagemaker.amazonaws.com"), command="pythonshell")
    with pytest.raises(ClientError, match="role"):
        cloud.client("glue").start_job_run(JobName=name)


def test_an_unknown_job_or_run_is_not_found(cloud, define):
    glue = cloud.client("glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_job_run(JobName="nowhere")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_job_run(JobName=define("", command="pythonshell"), RunId="jr_nowhere")
