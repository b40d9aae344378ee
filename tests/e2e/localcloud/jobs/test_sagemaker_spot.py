"""Managed spot training and checkpoints, with interruptions from outside."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import bucket_rights


@pytest.fixture(scope="module")
def data(cloud):
    bucket = cloud.bucket()
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"1\n2\n")
    return bucket


@pytest.fixture(scope="module")
def role(cloud, data):
    return cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))


@pytest.fixture
def start(cloud, data, role):
    sagemaker = cloud.client("sagemaker")

    def run(spot=True, wait=120, runtime=60, **parameters):
        name = cloud.name("spot")
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/numbers/"}
        stopping = {"MaxRuntimeInSeconds": runtime}
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            HyperParameters=parameters,
            AlgorithmSpecification={"TrainingImage": cloud.image, "TrainingInputMode": "File"},
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": f"s3://{data}/models"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            EnableManagedSpotTraining=spot,
            CheckpointConfig={"S3Uri": f"s3://{data}/checkpoints/{name}"},
            StoppingCondition={**stopping, **({"MaxWaitTimeInSeconds": wait} if wait else {})},
        )
        return name

    return run


@pytest.fixture
def ended(cloud, wait_until):
    def wait(name):
        return wait_until(
            lambda: cloud.client("sagemaker").describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    return wait


@pytest.fixture
def kept_step(cloud, data):
    def look(name):
        key = f"checkpoints/{name}/done"
        listed = cloud.client("s3").list_objects_v2(Bucket=data, Prefix=key)
        if not listed["KeyCount"]:
            return -1
        return int(cloud.client("s3").get_object(Bucket=data, Key=key)["Body"].read() or -1)

    return look


def test_an_interrupted_job_goes_on_from_its_checkpoint(cloud, start, ended, kept_step, wait_until):
    name = start(steps="14", pause="0.25")
    wait_until(lambda: kept_step(name), lambda step: step >= 2)  # uploaded while it trains
    said = cloud.command("interrupt-spot", name, check=True).stdout
    assert "reclaimed" in said
    job = ended(name)
    assert job["TrainingJobStatus"] == "Completed", job
    phases = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert phases == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Downloading", "Training", "Uploading", "Completed"),
    ]
    log = cloud.log("/aws/sagemaker/TrainingJobs", f"{name}/")
    begun = [int(line.split()[-1]) for line in log.splitlines() if "beginning with" in line]
    assert begun[0] == 0
    assert begun[1] >= 3
    assert kept_step(name) == 13
    assert 1 <= job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]


def test_a_job_that_does_not_exist_cannot_be_interrupted(cloud, start, ended):
    ended(start(steps="1"))
    refused = cloud.command("interrupt-spot", "nobody")
    assert refused.returncode == 1
    assert "no spot training job nobody is running" in refused.stderr


def test_a_job_over_its_time_limit_keeps_its_checkpoint(start, ended, kept_step):
    name = start(spot=False, wait=None, runtime=2, steps="100", pause="0.2")
    job = ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")
    assert kept_step(name) >= 3
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]


def test_the_time_limits_must_fit_together(start):
    with pytest.raises(ClientError, match="Invalid MaxWaitTimeInSeconds"):
        start(wait=10)
    with pytest.raises(ClientError, match="not supported when EnableManagedSpotTraining is false"):
        start(spot=False)
