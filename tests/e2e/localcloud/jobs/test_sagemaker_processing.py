"""Processing jobs, through boto3."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import allow, bucket_rights


@pytest.fixture(scope="module")
def data(cloud):
    bucket = cloud.bucket()
    for key in ("in/a.txt", "in/deep/b.txt", "other/c.txt"):
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    return bucket


@pytest.fixture
def process(cloud, data, wait_until):
    sagemaker = cloud.client("sagemaker")
    everything = cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))

    def run(role=everything, environment=None, source="in"):
        name = cloud.name("processing")
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role,
            ProcessingResources={
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                    "VolumeSizeInGB": 1,
                }
            },
            AppSpecification={
                "ImageUri": cloud.image,
                "ContainerEntrypoint": ["python", "program.py", "process"],
                "ContainerArguments": ["/opt/ml/processing/in", "/opt/ml/processing/out"],
            },
            Environment=environment or {},
            ProcessingInputs=[
                {
                    "InputName": "in",
                    "S3Input": {
                        "S3Uri": f"s3://{data}/{source}",
                        "LocalPath": "/opt/ml/processing/in",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": f"s3://{data}/out/{name}",
                            "LocalPath": "/opt/ml/processing/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        )
        return wait_until(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
        )

    return run


def test_a_job_sees_its_inputs_and_its_outputs_are_uploaded(cloud, data, process):
    job = process()
    assert job["ProcessingJobStatus"] == "Completed", job
    key = f"out/{job['ProcessingJobName']}/listing.json"
    body = cloud.client("s3").get_object(Bucket=data, Key=key)["Body"].read()
    assert json.loads(body) == ["a.txt", "deep/b.txt"]
    listed = cloud.client("sagemaker").list_processing_jobs(NameContains=job["ProcessingJobName"])
    assert listed["ProcessingJobSummaries"][0]["ProcessingJobStatus"] == "Completed"


def test_a_failing_container_leaves_its_message(process):
    job = process(environment={"FAIL": "yes"})
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "refused on purpose"
    assert "exit code: 4" in job["FailureReason"]


def test_missing_input_fails_the_job(process):
    job = process(source="nothing-here")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "no S3 objects found" in job["FailureReason"]


def test_a_role_that_may_not_write_the_output_fails_the_job_with_the_action_named(
    cloud, data, process
):
    reading = [
        allow("s3:ListBucket", f"arn:aws:s3:::{data}"),
        allow("s3:GetObject", f"arn:aws:s3:::{data}/*"),
    ]
    job = process(role=cloud.role("sagemaker.amazonaws.com", *reading))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "s3:PutObject" in job["FailureReason"]


def test_an_unknown_job_is_not_found(cloud):
    with pytest.raises(ClientError, match="Could not find requested job with name: unknown"):
        cloud.client("sagemaker").describe_processing_job(ProcessingJobName="unknown")
