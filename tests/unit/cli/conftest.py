"""A platform for the command's tests: stacks with outputs, buckets and tables, in process."""

from __future__ import annotations

from io import StringIO

import boto3
import pytest
from moto import mock_aws
from rich.console import Console

from cli.target import Target

ENVIRONMENT = "test"
REGION = "us-east-1"
USE_CASE = "example"


FOUNDATION = {
    "UseCase": USE_CASE,
    "RawLakeBucketName": "raw-lake",
    "ModelInputBucketName": "model-input",
    "MetadataTableName": "metadata",
    "ModelTableName": "models",
}


class FakeTarget(Target):
    """An environment whose stacks are what a test deployed."""

    def __init__(self):
        super().__init__(environment=ENVIRONMENT, session=boto3.Session(region_name=REGION))
        self.deployed = {}

    def stack(self, block):
        if block not in self.deployed:
            return None
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.deployed[block].items()]
        return {"StackStatus": "CREATE_COMPLETE", "Outputs": outputs}


@pytest.fixture
def aws(monkeypatch):
    """AWS in process, with keys that open nothing else."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE", "FOURBLOCKS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def target(aws):
    """An environment of which nothing is deployed."""
    return FakeTarget()


@pytest.fixture
def foundation(target):
    """The same environment with its foundation deployed."""
    target.deployed["Foundation"] = FOUNDATION
    for bucket in ("raw-lake", "model-input"):
        target.client("s3").create_bucket(Bucket=bucket)
    for table in ("metadata", "models"):
        target.client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
    return target


@pytest.fixture
def paper():
    """A console that writes plain lines into memory, as into a CI log."""
    return Console(file=StringIO(), width=200, highlight=False)
