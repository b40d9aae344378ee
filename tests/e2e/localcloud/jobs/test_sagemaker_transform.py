"""Batch transform, through boto3: a real model, real objects, every rule of the request."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import allow, bucket_rights

RECORDS = [{"id": number} for number in range(3)]
LINES = "\n".join(json.dumps(each) for each in RECORDS).encode()


@pytest.fixture(scope="module")
def data(cloud):
    return cloud.bucket()


@pytest.fixture(scope="module")
def model(cloud, data):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model.json")
        entry.size = 2
        tar.addfile(entry, io.BytesIO(b"{}"))
    cloud.client("s3").put_object(Bucket=data, Key="model.tar.gz", Body=archive.getvalue())
    name = cloud.name("model")
    cloud.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=cloud.role("sagemaker.amazonaws.com", *bucket_rights(data)),
        PrimaryContainer={
            "Image": cloud.image,
            "ModelDataUrl": f"s3://{data}/model.tar.gz",
            "Environment": {"FLAVOUR": "lines"},
        },
    )
    return name


@pytest.fixture
def transform(cloud, data, model, wait_until):
    sagemaker, s3 = cloud.client("sagemaker"), cloud.client("s3")

    def run(objects, *, source=None, output=None, **options):
        name = cloud.name("transform")
        for key, body in objects.items():
            s3.put_object(Bucket=data, Key=f"{name}/in/{key}", Body=body)
        place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/{name}/in/"}
        sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=model,
            TransformInput={
                "DataSource": {"S3DataSource": place},
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
                **(source or {}),
            },
            TransformOutput={
                "S3OutputPath": f"s3://{data}/{name}/out",
                "AssembleWith": "Line",
                **(output or {}),
            },
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **options,
        )
        job = wait_until(
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
        )
        listed = s3.list_objects_v2(Bucket=data, Prefix=f"{name}/out/").get("Contents", [])
        written = {
            item["Key"].removeprefix(f"{name}/out/"): s3.get_object(Bucket=data, Key=item["Key"])[
                "Body"
            ].read()
            for item in listed
        }
        return job, written

    return run


def test_every_object_gets_its_answers_below_the_output(transform):
    job, written = transform({"a.jsonl": LINES, "deep/b.jsonl": LINES + b"\n"})

    assert job["TransformJobStatus"] == "Completed", job
    assert set(written) == {"a.jsonl.out", "deep/b.jsonl.out"}
    for body in written.values():
        answers = [json.loads(line) for line in body.splitlines()]
        assert [each["records"] for each in answers] == [3, 3, 3]
        assert {each["batch"] for each in answers} == {"true"}
    assert job["TransformStartTime"] <= job["TransformEndTime"]


def test_single_records_are_asked_one_by_one_at_once_and_stay_in_order(transform):
    lines = b"\n".join(b"x" * size for size in range(1, 30))

    _, written = transform(
        {"a": lines}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4, MaxPayloadInMB=1
    )

    answers = [json.loads(line) for line in written["a.out"].splitlines()]
    assert [each["length"] for each in answers] == list(range(1, 30))
    assert {each["records"] for each in answers} == {1}


def test_answers_are_joined_with_what_was_asked(transform):
    _, written = transform({"a.jsonl": LINES}, DataProcessing={"JoinSource": "Input"})

    joined = [json.loads(line) for line in written["a.jsonl.out"].splitlines()]
    assert [each["id"] for each in joined] == [0, 1, 2]
    assert all(each["SageMakerOutput"]["length"] == len(b'{"id": 0}') for each in joined)


def test_rows_are_joined_as_rows_and_packed_input_is_unpacked(transform):
    _, written = transform(
        {"a.csv.gz": gzip.compress(b"1,2\n33,4\n")},
        source={"ContentType": "text/csv", "CompressionType": "Gzip"},
        output={"Accept": "text/csv"},
        DataProcessing={"JoinSource": "Input"},
    )

    assert written == {"a.csv.gz.out": b"1,2,3\n33,4,4\n"}


def test_a_model_that_fails_once_is_asked_again(transform):
    job, written = transform({"a": b"flaky"})

    assert job["TransformJobStatus"] == "Completed", job
    assert written["a.out"]


def test_a_refused_record_fails_the_job_with_the_models_words(transform):
    job, written = transform({"a": b"bad"})

    assert job["TransformJobStatus"] == "Failed"
    assert "the model answered 400: a bad line" in job["FailureReason"]
    assert written == {}


def test_a_record_above_the_payload_fails_the_job(transform):
    job, _ = transform({"a": b"x" * (1024 * 1024 + 1)}, MaxPayloadInMB=1)

    assert "larger than MaxPayloadInMB (1)" in job["FailureReason"]


def test_without_objects_the_job_fails(transform):
    job, _ = transform({})

    assert "no S3 objects found" in job["FailureReason"]


def test_joining_needs_lines_on_both_sides(transform):
    with pytest.raises(ClientError, match="JoinSource Input needs SplitType Line"):
        transform({}, source={"SplitType": "None"}, DataProcessing={"JoinSource": "Input"})


def test_filters_are_refused_and_not_ignored(transform):
    with pytest.raises(ClientError, match="does not support OutputFilter"):
        transform({}, DataProcessing={"OutputFilter": "$.id"})


def test_a_caller_needs_the_right_on_this_job(cloud, model, data):
    nobody = cloud.client("sagemaker", cloud.assume(allow("sagemaker:DescribeModel")))
    with pytest.raises(ClientError, match="CreateTransformJob"):
        nobody.create_transform_job(
            TransformJobName="mine",
            ModelName=model,
            TransformInput={
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/x"}
                }
            },
            TransformOutput={"S3OutputPath": f"s3://{data}/y"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
