"""The prediction log on the embedded AWS: its own function and role, and stores that refuse."""

from __future__ import annotations

import gzip
import io
import json
import statistics
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.inference.serve_predictions.adapters import QueuedPredictionLog
from tests.e2e.localcloud.conftest import ACCOUNT, Cloud, allow, document, eventually

ROOT = Path(__file__).parents[3]
MESSAGES = 30
PREDICTIONS = 4
REGION = "us-east-1"


def prediction(number: int) -> dict:
    return {
        "prediction_id": f"p-{number:05d}",
        "model_version": "1",
        "instance": json.dumps({"group": {"value": number}}),
        "answer": json.dumps({"probability": 0.5, "missing_sources": []}),
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": 4_000_000_000,
        "correlation_id": "c",
    }


def code() -> bytes:
    """Zip what the function needs, as its asset has it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for pattern in ("lambdas/**/*.py", "pipeline_code/*.py", "pipeline_code/*/contract.py",
                        "pipeline_code/*/__init__.py"):  # fmt: skip
            for path in sorted(ROOT.glob(pattern)):
                archive.write(path, path.relative_to(ROOT))
    return content.getvalue()


class Log:
    """Queue, function, table and bucket, and the role that can lose a grant for a while."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        sqs, dynamodb = cloud.client("sqs"), cloud.client("dynamodb")
        self.bucket, self.table = cloud.bucket(), cloud.name("predictions")
        dynamodb.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "prediction_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "prediction_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.queue = sqs.create_queue(
            QueueName=cloud.name("queue"), Attributes={"VisibilityTimeout": "720"}
        )["QueueUrl"]
        name = self.queue.rsplit("/", 1)[1]
        self.queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.role = cloud.role("lambda.amazonaws.com")
        self.grant()
        self._function(cloud)
        self.log = QueuedPredictionLog(sqs, self.queue, dynamodb, self.table)

    def _function(self, cloud: Cloud) -> None:
        functions = cloud.client("lambda")
        name = cloud.name("log-predictions")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self.role,
            Handler="lambdas.inference.log_predictions.handler.lambda_handler",
            Code={"ZipFile": code()},
            Timeout=120,
            Environment={
                "Variables": {
                    "PREDICTION_TABLE": self.table,
                    "ANALYTICS_BUCKET": self.bucket,
                    "PREDICTION_QUEUE": self.queue,
                }
            },
        )
        functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=self.queue_arn,
            BatchSize=500,
            MaximumBatchingWindowInSeconds=1,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def grant(self, *, without: str = "") -> None:
        """Give the role what the stack gives it, but one action."""
        table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.table}"
        rights = [
            allow(["dynamodb:BatchWriteItem", "dynamodb:PutItem"], table),
            allow("s3:PutObject", f"arn:aws:s3:::{self.bucket}/predictions/*"),
            allow("sqs:ChangeMessageVisibility", self.queue_arn),
            allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]),
        ]
        kept = [each for each in rights if not without or without not in str(each["Action"])]
        self.cloud.client("iam").put_role_policy(
            RoleName=self.role.rsplit("/", 1)[1],
            PolicyName="grants",
            PolicyDocument=document(*kept),
        )

    def send(self, first: int) -> tuple[set[str], list[float]]:
        """Log predictions as the API does; give their ids, and what each call took."""
        ids: set[str] = set()
        seconds = []
        for number in range(first, first + MESSAGES * PREDICTIONS, PREDICTIONS):
            held = [prediction(each) for each in range(number, number + PREDICTIONS)]
            started = time.perf_counter()
            self.log.store(held)
            seconds.append(time.perf_counter() - started)
            ids |= {each["prediction_id"] for each in held}
        return ids, seconds

    def found(self) -> set[str]:
        """Give the ids that the table holds."""
        pages = self.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
        return {item["prediction_id"]["S"] for page in pages for item in page["Items"]}

    def in_files(self) -> list[str]:
        """Give the ids that the files hold, as often as they hold them."""
        s3 = self.cloud.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        assert all(key.startswith("predictions/day=2026-01-01/") for key in keys)
        bodies = (s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys)
        lines = [line for body in bodies for line in gzip.decompress(body).decode().splitlines()]
        return [json.loads(line)["prediction_id"] for line in lines]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = Cloud(tmp_path_factory.mktemp("log") / "state")
    running.command("up", "--port", "auto", check=True)
    yield running
    running.command("down", check=True)


@pytest.fixture
def log(cloud: Cloud) -> Log:
    return Log(cloud)


@pytest.mark.parametrize("refusing", ["dynamodb", "s3"])
def test_while_a_store_refuses_nothing_is_lost_and_no_caller_waits(log: Log, refusing: str):
    before, usual = log.send(0)
    eventually(lambda: log.found() == set(log.in_files()) == before, seconds=60)
    log.grant(without=refusing)
    meanwhile, slow = log.send(10_000)
    denied = eventually(
        lambda: [
            each
            for each in log.cloud.decisions()
            if each["decision"] != "Allow" and each["action"].lower().startswith(refusing)
        ]
    )
    assert denied
    assert set(log.in_files()) == before

    log.grant()

    eventually(lambda: log.found() == before | meanwhile, seconds=90)
    eventually(lambda: set(log.in_files()) == before | meanwhile, seconds=90)
    assert statistics.median(slow) < 3 * statistics.median(usual) + 0.05
    waiting = log.cloud.client("sqs").get_queue_attributes(
        QueueUrl=log.queue, AttributeNames=["All"]
    )["Attributes"]
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert [waiting[name] for name in names] == ["0", "0"]
