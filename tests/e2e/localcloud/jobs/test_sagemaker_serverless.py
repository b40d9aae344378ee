"""Serverless endpoints, through boto3: started by requests, throttled by their concurrency."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import bucket_rights


@pytest.fixture(scope="module")
def endpoint(cloud):
    bucket, sagemaker = cloud.bucket(), cloud.client("sagemaker")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        content = json.dumps({"constant": 4.0}).encode()
        entry = tarfile.TarInfo("model.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    cloud.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=archive.getvalue())
    name = cloud.name("serverless")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket)),
        PrimaryContainer={"Image": cloud.image, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"},
    )
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2},
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
    yield name
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)


def ask(cloud, endpoint, body):
    try:
        answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=body)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return json.loads(answer["Body"].read())["constant"]


def test_a_request_is_answered(cloud, endpoint):
    assert ask(cloud, endpoint, b"hello") == 4.0


def test_requests_above_the_concurrency_are_throttled_and_the_others_answered(cloud, endpoint):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(cloud, endpoint, b"slow"), range(6)))

    assert set(answers) == {4.0, "ThrottlingException"}
    assert answers.count(4.0) >= 2
    assert ask(cloud, endpoint, b"hello") == 4.0


def test_concurrency_that_is_paid_ahead_is_refused_and_not_ignored(cloud, endpoint):
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 2, "ProvisionedConcurrency": 1}
    variant = {"VariantName": "v", "ModelName": endpoint, "ServerlessConfig": config}

    with pytest.raises(ClientError, match="does not support ProvisionedConcurrency"):
        cloud.client("sagemaker").create_endpoint_config(
            EndpointConfigName=cloud.name("config"), ProductionVariants=[variant]
        )
