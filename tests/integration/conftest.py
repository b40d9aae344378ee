"""Tables, buckets and settings of the functions, on moto."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.common.items import from_item

REGION = "us-east-1"
USE_CASE = "demo"
TABLES = {
    "metadata": ("pk", "sk", "S"),
    "models": ("pk", "sk", "S"),
    "ledger": ("chain", "sequence", "N"),
    "evidence": ("endpoint_name", "version", "S"),
}
BUCKETS = ("raw-lake", "model-input", "model-store", "config-store", "analytics-store")
SETTINGS = {
    "USE_CASE": USE_CASE,
    "REQUIRED_SOURCES": '["a", "b"]',
    "OPTIONAL_SOURCES": '["c"]',
    "RAW_LAKE_BUCKET": "raw-lake",
    "MODEL_INPUT_BUCKET": "model-input",
    "MODEL_BUCKET": "model-store",
    "CONFIG_BUCKET": "config-store",
    "METADATA_TABLE": "metadata",
    "MODEL_TABLE": "models",
    "LEDGER_TABLE": "ledger",
    "PREDICTION_TABLE": "predictions",
    "PREDICTION_DAYS": "30",
    "DECISION_TABLE": "decisions",
    "FEATURE_GROUPS": '{"identity": "fourblocks-test-identity-v1"}',
    "ANALYTICS_BUCKET": "analytics-store",
    "ATTEMPT_TABLE": "attempts",
    "EVIDENCE_TABLE": "evidence",
    "EVENT_BUS": "default",
    "CODE_VERSION": "code-1",
    "SETTLE_SECONDS": "0",
    "TRAINING_CONFIG_URI": "s3://config-store/published.json",
    "TRAINING_IMAGE_URI": "registry/image@sha256:1",
    "JOB_NAME_PREFIX": "fourblocks-test",
    "TRAINING_THREADS": "3",
    "ENDPOINT_NAME": "fourblocks-test-demo",
    "ALGORITHM_IMAGES": '{"xgboost": "x", "linear-learner": "l", "sklearn": "s"}',
    "INSTANCE_TYPE": "ml.m5.large",
    "VOLUME_GB": "5",
    "JOB_TIMEOUT_SECONDS": "600",
    "APPROVAL": "automatic",
    "APPROVAL_HOURS": "24",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


class World:
    """The clients of one moto account, and what tests look at in it."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", REGION)
        self.dynamodb = boto3.client("dynamodb", REGION)
        self.sagemaker = boto3.client("sagemaker", REGION)
        self.stepfunctions = boto3.client("stepfunctions", REGION)
        self.sqs = boto3.client("sqs", REGION)
        self.events = boto3.client("events", REGION)
        self.kms = boto3.client("kms", REGION)
        self.cloudwatch = boto3.client("cloudwatch", REGION)
        self.prediction_queue = ""

    def put(self, bucket: str, key: str, content: bytes | dict[str, Any]) -> str:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def read(self, bucket: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def item(self, table: str, pk: str, sk: str) -> dict[str, Any] | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        stored = self.dynamodb.get_item(TableName=table, Key=key).get("Item")
        return from_item(stored) if stored else None

    def announced(self) -> list[tuple[str, dict[str, Any]]]:
        url = self.sqs.get_queue_url(QueueName="announced")["QueueUrl"]
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        events = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return [(event["detail-type"], event["detail"]) for event in events]

    def execution(self, *, running: bool) -> str:
        machines = self.stepfunctions.list_state_machines()["stateMachines"]
        started = self.stepfunctions.start_execution(
            stateMachineArn=machines[0]["stateMachineArn"], input="{}"
        )["executionArn"]
        if not running:
            self.stepfunctions.stop_execution(executionArn=started)
        return started


def artefact(**members: bytes) -> bytes:
    """Pack a ``model.tar.gz``; a member is given without its ending ``.jsonl``."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, member in members.items():
            entry = tarfile.TarInfo(f"{name}.jsonl")
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))
    return content.getvalue()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account with empty tables and buckets."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        # moto begins with a new session, which would read the models of all services again.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
        made = World()
        for bucket in BUCKETS:
            made.s3.create_bucket(Bucket=bucket)
            made.s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        for table, (hash_key, range_key, kind) in TABLES.items():
            _table(made, table, [(hash_key, "S", "HASH"), (range_key, kind, "RANGE")])
        _table(made, "predictions", [("prediction_id", "S", "HASH")])
        _table(made, "attempts", [("request_key", "S", "HASH")])
        _table(made, "decisions", [("decision_id", "S", "HASH")])
        made.prediction_queue = made.sqs.create_queue(QueueName="predictions")["QueueUrl"]
        monkeypatch.setenv("PREDICTION_QUEUE", made.prediction_queue)
        monkeypatch.setenv("SIGNING_KEY", _signing_key(made))
        _queue(made)
        _machine(made)
        yield made


@pytest.fixture
def call(world: World) -> Callable[..., Any]:
    """Call a function through its handler, freshly started."""

    def invoke(block: str, name: str, event: Any, context: Any = None) -> Any:
        module = f"lambdas.{block}.{name}.handler"
        sys.modules.pop(module, None)
        __import__(module)
        return sys.modules[module].lambda_handler(event, context)

    return invoke


@cache
def _session() -> boto3.Session:
    return boto3.Session()


def _table(world: World, name: str, keys: list[tuple[str, str, str]]) -> None:
    world.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, _, role in keys],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind, _ in keys
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def _signing_key(world: World) -> str:
    key = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return key["KeyMetadata"]["Arn"]


def _queue(world: World) -> None:
    url = world.sqs.create_queue(QueueName="announced")["QueueUrl"]
    arn = world.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    world.events.put_rule(
        Name="all", EventPattern=json.dumps({"source": [{"prefix": "fourblocks."}]})
    )
    world.events.put_targets(
        Rule="all", Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}]
    )


def _machine(world: World) -> None:
    world.stepfunctions.create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/machine",
    )
