"""A file is answered by the serving model's transform job, and its answers lie beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli.batch import BatchOptions, batch
from cli.errors import NotThereError, RefusedError
from tests.unit.cli.aws_answers import AnsweringSession
from tests.unit.cli.conftest import FOUNDATION, USE_CASE

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CONFIG = {
    "EndpointConfigName": "config-1",
    "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/config-1",
    "ProductionVariants": [{"VariantName": "v", "ModelName": "model-1"}],
    "CreationTime": NOW,
}


class Transform:
    """SageMaker's side: takes a job, works on it for two looks, ends it."""

    def __init__(self, target, status="Completed"):
        self.target = target
        self.status = status
        self.requests = []
        self.looks = 0

    def describe(self, _):
        self.looks += 1
        status = self.status if self.looks > 2 else "InProgress"
        if status == "Completed":
            self._answer()
        name = self.requests[0]["TransformJobName"]
        return {
            "TransformJobName": name,
            "TransformJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:transform-job/{name}",
            "TransformJobStatus": status,
            "ModelName": "model-1",
            "TransformInput": self.requests[0]["TransformInput"],
            "TransformResources": self.requests[0]["TransformResources"],
            "CreationTime": NOW,
            **({"FailureReason": "the model answered 400"} if status == "Failed" else {}),
        }

    def _answer(self):
        s3 = self.target.client("s3")
        prefix = f"batch/{self.requests[0]['TransformJobName']}"
        (item,) = s3.list_objects_v2(Bucket="analytics", Prefix=f"{prefix}/in/")["Contents"]
        body = s3.get_object(Bucket="analytics", Key=item["Key"])["Body"].read()
        name = item["Key"].rpartition("/")[2]
        s3.put_object(Bucket="analytics", Key=f"{prefix}/out/{name}.out", Body=body.upper())


@pytest.fixture
def platform(foundation):
    foundation.deployed["Foundation"] = {**FOUNDATION, "AnalyticsBucketName": "analytics"}
    foundation.client("s3").create_bucket(Bucket="analytics")
    return foundation


@pytest.fixture
def serving(platform):
    platform.session.resource("dynamodb").Table("models").put_item(
        Item={
            "pk": f"MODEL#{USE_CASE}",
            "sk": "SERVING",
            "version": 3,
            "endpoint_config_name": "config-1",
        }
    )
    return platform


@pytest.fixture
def transform(serving):
    found = Transform(serving)

    def create(params):
        found.requests.append(json.loads(params["body"]))
        return {"TransformJobArn": "arn:aws:sagemaker:us-east-1:123456789012:transform-job/x"}

    answers = {
        "sagemaker.DescribeEndpointConfig": CONFIG,
        "sagemaker.CreateTransformJob": create,
        "sagemaker.DescribeTransformJob": found.describe,
    }
    serving._clients["sagemaker"] = AnsweringSession(answers).client("sagemaker")
    return found


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    return path


def run(target, file, **options):
    return batch(target, file, BatchOptions(**options), pause=lambda _: None)


def test_the_serving_model_answers_the_file_line_by_line(serving, transform, file):
    answers = run(serving, file)

    assert answers == file.with_name("questions.jsonl.out")
    assert answers.read_text() == '{"A": 1}\n{"A": 2}\n'
    (request,) = transform.requests
    assert request["ModelName"] == "model-1"
    assert request["TransformInput"]["SplitType"] == "Line"
    assert request["TransformJobName"].startswith("fourblocks-test-batch-")


def test_answers_may_stand_with_what_was_asked_and_elsewhere(serving, transform, file, tmp_path):
    answers = run(serving, file, joined=True, output=tmp_path / "answers.jsonl")

    assert answers == tmp_path / "answers.jsonl"
    assert transform.requests[0]["DataProcessing"] == {"JoinSource": "Input"}


def test_a_failed_job_says_why(serving, transform, file):
    transform.status = "Failed"

    with pytest.raises(RefusedError, match="the model answered 400"):
        run(serving, file)


def test_before_anything_serves_nothing_is_answered(platform, file):
    with pytest.raises(NotThereError, match="No model serves yet"):
        run(platform, file)


def test_a_file_of_another_kind_is_refused(serving, tmp_path):
    with pytest.raises(RefusedError, match=r"no file of one instance a line \(\.jsonl"):
        run(serving, tmp_path / "questions.xlsx")
