"""Shadow variants and data capture, through boto3: copies that no client ever notices."""

from __future__ import annotations

import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import eventually
from tests.e2e.localcloud.jobs.deployments import watched
from tests.e2e.localcloud.jobs.test_sagemaker_deployments import Endpoints

REQUESTS = int(os.environ.get("SHADOW_REQUESTS", "60"))
"""Requests beside each bad shadow."""


class Mirrored(Endpoints):
    """Endpoints with a shadow."""

    def shadowed(self, flavour: str, **shadow) -> str:
        """Make a config of a plain model and, with all its traffic, a shadow; both captured."""
        name = self.cloud.name("shadowed")

        def variant(variant_name, model, **fields):
            return {
                "VariantName": variant_name,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
                **fields,
            }

        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant("Champion", self.config(1))],
            ShadowProductionVariants=[
                variant("Challenger", self.config(2, flavour=flavour), **shadow)
            ],
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{self.bucket}/captured",
                "CaptureOptions": [{"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
            },
        )
        return name

    def create(self, config: str) -> str:
        """Create an endpoint."""
        name = self.cloud.name("shadowed-endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        told, _, _ = watched(self.cloud, name)
        assert told["EndpointStatus"] == "InService", told
        self.made.append(name)
        return name

    def load(self, name: str, count: int = REQUESTS) -> tuple[list[dict], list[float]]:
        """Ask from two threads; give the answers and what each took."""
        runtime = self.cloud.client("sagemaker-runtime")
        taken = []

        def one(number: int) -> dict:
            started = time.monotonic()
            answer = runtime.invoke_endpoint(
                EndpointName=name, Body=b"{}", InferenceId=f"id-{number}"
            )
            document = json.loads(answer["Body"].read())
            taken.append(time.monotonic() - started)
            return {**document, "variant": answer["InvokedProductionVariant"]}

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, range(count))), taken

    def metric(self, name: str, variant: str, metric: str) -> float:
        """Add up a metric of a variant."""
        now = datetime.now(UTC)
        points = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": variant},
            ],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def captured(self, name: str, variant: str) -> list[dict]:
        """Read what was captured of a variant."""
        s3 = self.cloud.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=f"captured/{name}/{variant}/")
        bodies = [
            s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read()
            for each in found.get("Contents", [])
        ]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture(scope="module")
def endpoints(cloud):
    made = Mirrored(cloud)
    yield made
    for name in made.made:
        cloud.client("sagemaker").delete_endpoint(EndpointName=name)


def test_a_shadow_gets_every_request_and_answers_none(endpoints):
    name = endpoints.create(endpoints.shadowed("plain"))
    answers, _ = endpoints.load(name, 20)
    assert {(each["constant"], each["variant"]) for each in answers} == {(1, "Champion")}
    eventually(lambda: endpoints.metric(name, "Challenger", "Invocations"), lambda n: n == 20)
    both = [
        eventually(lambda v=v: endpoints.captured(name, v), lambda found: len(found) == 20)
        for v in ("Champion", "Challenger")
    ]
    champion, challenger = (
        {each["eventMetadata"]["inferenceId"]: each["captureData"] for each in found}
        for found in both
    )
    assert champion.keys() == challenger.keys() == {f"id-{number}" for number in range(20)}
    assert {each["eventMetadata"].get("invocationSource") for each in both[1]} == {
        "ShadowExperiment"
    }
    described = endpoints.sagemaker.describe_endpoint(EndpointName=name)
    assert [each["VariantName"] for each in described["ShadowProductionVariants"]] == ["Challenger"]
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    with pytest.raises(ClientError, match="Challenger of endpoint"):
        endpoints.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=b"{}", TargetVariant="Challenger"
        )
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "Challenger", "DesiredWeight": 0.0}],
    )
    watched(endpoints.cloud, name)
    endpoints.load(name, 10)
    assert endpoints.metric(name, "Champion", "Invocations") == 30
    assert endpoints.metric(name, "Challenger", "Invocations") == 20


@pytest.mark.parametrize(("flavour", "failing"), [("raising", True), ("very-slow", False)])
def test_a_bad_shadow_harms_no_client(endpoints, flavour, failing):
    alone = endpoints.serving(1)
    name = endpoints.create(endpoints.shadowed(flavour))
    _, before = endpoints.load(alone)
    answers, beside = endpoints.load(name)
    assert {(each["constant"], each["variant"]) for each in answers} == {(1, "Champion")}
    assert len(answers) == REQUESTS
    # The very slow shadow takes two seconds each; a client that waited for it would too.
    assert statistics.median(beside) < statistics.median(before) + 0.25
    assert max(beside) < 2.0
    errors = endpoints.metric(name, "Challenger", "Invocation5XXErrors")
    if failing:
        eventually(
            lambda: endpoints.metric(name, "Challenger", "Invocation5XXErrors"),
            lambda n: n == REQUESTS,
        )
    else:
        assert errors == 0
    assert endpoints.metric(name, "Champion", "Invocation5XXErrors") == 0


def test_a_shadow_is_put_beside_what_serves_and_taken_away_without_a_failed_request(endpoints):
    name = endpoints.serving(1)
    endpoints.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=endpoints.shadowed("plain")
    )
    answers, _ = endpoints.load(name, 40)
    told, _, _ = watched(endpoints.cloud, name)
    assert [each["VariantName"] for each in told["ShadowProductionVariants"]] == ["Challenger"]
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=endpoints.config(3))
    more, _ = endpoints.load(name, 40)
    watched(endpoints.cloud, name)
    assert {each["constant"] for each in (*answers, *more)} <= {1, 3}
