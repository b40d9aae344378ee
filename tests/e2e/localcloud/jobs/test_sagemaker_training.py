"""Training jobs, through boto3."""

from __future__ import annotations

import io
import json
import tarfile
import time

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights


@pytest.fixture(scope="module")
def data(cloud):
    bucket = cloud.bucket()
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"1\n2\n")
    s3.put_object(Bucket=bucket, Key="numbers/deep/b.csv", Body=b"6\n")
    return bucket


@pytest.fixture(scope="module")
def role(cloud, data):
    return cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))


@pytest.fixture
def train(cloud, data, role, wait_until):
    sagemaker = cloud.client("sagemaker")

    def run(
        role=role, image=None, limit=60, wait=True, client=sagemaker, isolated=False, **parameters
    ):
        name = cloud.name("training")
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/numbers/"}
        client.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            EnableNetworkIsolation=isolated,
            HyperParameters=parameters,
            AlgorithmSpecification={
                "TrainingImage": image or cloud.image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "mean", "Regex": r"mean=([\d.]+)"}],
            },
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": f"s3://{data}/models"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": limit},
            Tags=[{"Key": "team", "Value": "one"}],
        )
        if not wait:
            return name
        return ended(name)

    def ended(name):
        return wait_until(
            lambda: sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    run.ended = ended
    return run


def test_a_job_trains_on_its_channel_and_uploads_its_model(cloud, data, train):
    started = time.monotonic()
    job = train()
    assert time.monotonic() - started < 10
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job
    phases = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    prefix = f"models/{job['TrainingJobName']}/output"
    assert uri == f"s3://{data}/{prefix}/model.tar.gz"
    body = cloud.client("s3").get_object(Bucket=data, Key=f"{prefix}/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert json.load(tar.extractfile("model.json")) == {"constant": 3.0}
    keys = cloud.client("s3").list_objects_v2(Bucket=data, Prefix=prefix)["Contents"]
    assert f"{prefix}/output.tar.gz" in [item["Key"] for item in keys]


def test_a_job_reports_metrics_times_arn_and_tags(cloud, train):
    job = train()
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("mean", 3.0)]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{job['TrainingJobName']}"
    assert job["TrainingJobArn"] == arn
    tags = cloud.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "one"}]


def test_a_job_logs_under_its_real_name_and_holds_only_its_roles_credentials(cloud, train):
    job = train()
    log = cloud.log("/aws/sagemaker/TrainingJobs", f"{job['TrainingJobName']}/algo-1-")
    assert f"hello from {job['TrainingJobName']}" in log
    assert "credentials ASIA" in log
    assert cloud.environment["AWS_ACCESS_KEY_ID"] not in log


def test_a_failing_container_gives_its_own_reason(train):
    job = train(fail="the data is empty")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: the data is empty, exit code: 3"
    assert "ModelArtifacts" not in job or not job["ModelArtifacts"].get("S3ModelArtifacts")


def test_a_stopped_job_ends_as_stopped(cloud, train, wait_until):
    sagemaker = cloud.client("sagemaker")
    name = train(sleep="60", wait=False)
    wait_until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["SecondaryStatus"] == "Training",
    )
    sagemaker.stop_training_job(TrainingJobName=name)
    assert train.ended(name)["TrainingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName=name)


def test_a_job_over_its_time_limit_is_stopped(train):
    job = train(sleep="60", limit=1)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_role_that_may_not_read_the_data_fails_the_job_with_the_action_named(cloud, data, train):
    role = cloud.role(
        "sagemaker.amazonaws.com",
        allow("s3:ListBucket", f"arn:aws:s3:::{data}"),
        allow("s3:PutObject", f"arn:aws:s3:::{data}/*"),
    )
    job = train(role=role)
    assert job["TrainingJobStatus"] == "Failed"
    assert "s3:GetObject" in job["FailureReason"]
    assert f"s3://{data}/numbers/a.csv" in job["FailureReason"]


def test_a_role_that_sagemaker_may_not_assume_is_refused(cloud, train):
    role = cloud.role("glue.amazonaws.com")
    with pytest.raises(ClientError, match="Could not assume role"):
        train(role=role)


def test_an_image_that_was_never_pushed_fails_the_job(train):
    job = train(image=f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/nothing:1")
    assert job["TrainingJobStatus"] == "Failed"
    assert "nothing:1" in job["FailureReason"]


def test_names_are_unique_and_unknown_names_are_not_found(cloud, train, data, role):
    sagemaker = cloud.client("sagemaker")
    job = train()
    fields = ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
    again = {key: job[key] for key in fields}
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="must be unique"):
        sagemaker.create_training_job(
            TrainingJobName=job["TrainingJobName"],
            AlgorithmSpecification={"TrainingImage": cloud.image, "TrainingInputMode": "File"},
            **again,
        )
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="never-created")


def test_jobs_are_listed_by_filter_and_page(cloud, train):
    sagemaker = cloud.client("sagemaker")
    names = [train()["TrainingJobName"] for _ in range(3)]
    failed = train(fail="x")["TrainingJobName"]
    listed = sagemaker.list_training_jobs(StatusEquals="Failed", NameContains=failed)
    assert [j["TrainingJobName"] for j in listed["TrainingJobSummaries"]] == [failed]
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        PaginationConfig={"PageSize": 1}, SortBy="CreationTime", SortOrder="Ascending"
    )
    found = [j["TrainingJobName"] for p in pages for j in p["TrainingJobSummaries"]]
    assert [name for name in found if name in names] == names


def test_a_caller_needs_the_action_and_the_right_to_pass_the_role(cloud, role, train):
    jobs = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/*"
    create = allow(["sagemaker:CreateTrainingJob", "sagemaker:AddTags"], jobs)
    without_pass = cloud.client("sagemaker", cloud.assume(create))
    with pytest.raises(ClientError, match="iam:PassRole"):
        train(client=without_pass)
    passing = allow("iam:PassRole", role)
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    without_create = cloud.client("sagemaker", cloud.assume(passing))
    with pytest.raises(ClientError, match="sagemaker:CreateTrainingJob"):
        train(client=without_create)
    both = cloud.client("sagemaker", cloud.assume(create, passing))
    assert train(client=both)["TrainingJobStatus"] == "Completed"


def test_what_is_not_supported_is_refused_and_named(cloud, train):
    sagemaker = cloud.client("sagemaker")
    with pytest.raises(ClientError, match="CreateWorkforce") as refusal:
        sagemaker.create_workforce(WorkforceName="nobody")
    assert refusal.value.response["Error"]["Code"] == "UnsupportedOperationException"


def test_an_isolated_job_has_no_network_and_no_credentials(cloud, train):
    open_job = train(probe=cloud.environment["AWS_ENDPOINT_URL"])
    isolated = train(probe=cloud.environment["AWS_ENDPOINT_URL"], isolated=True)

    logs = [
        cloud.log("/aws/sagemaker/TrainingJobs", f"{job['TrainingJobName']}/")
        for job in (open_job, isolated)
    ]
    assert isolated["TrainingJobStatus"] == "Completed", isolated
    assert "the gateway is reached" in logs[0]
    assert "the gateway is not reached: " in logs[1]
    assert "credentials none" in logs[1]
    assert "mean=3.0" in logs[1]
