"""Deployment guardrails: traffic shifted between two running fleets, alarms, roll-backs."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import Cloud, allow, bucket_rights
from tests.e2e.localcloud.jobs.deployments import Load, watched

REQUESTS = int(os.environ.get("DEPLOYMENT_REQUESTS", "400"))
"""Requests under steady load through a healthy deployment, through scaling and a roll-back."""
VARIANT = "AllTraffic"


class Endpoints:
    """Models of the small image, each answering with its constant, and endpoints of them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.sagemaker = cloud.client("sagemaker")
        self.bucket = cloud.bucket()
        self.role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(self.bucket))
        self.made: list[str] = []

    def config(self, constant: float, *, flavour: str = "plain", instances: int = 1) -> str:
        """Make a model and an endpoint config of it."""
        archive, content = io.BytesIO(), json.dumps({"constant": constant}).encode()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            entry = tarfile.TarInfo("model.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        name = self.cloud.name("guarded")
        key = f"{name}/model.tar.gz"
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=archive.getvalue())
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={
                "Image": self.cloud.image,
                "ModelDataUrl": f"s3://{self.bucket}/{key}",
                "Environment": {"FLAVOUR": flavour},
            },
        )
        variant = {
            "VariantName": VARIANT,
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": instances,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def serving(self, constant: float, **options: Any) -> str:
        """Create an endpoint and wait until it is in service."""
        name = self.cloud.name("guarded-endpoint")
        config = self.config(constant, **options)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        told, _, _ = watched(self.cloud, name)
        assert told["EndpointStatus"] == "InService", told
        self.made.append(name)
        return name

    def update(self, name: str, config: str, *alarms: str, **routing: Any) -> None:
        """Move an endpoint with the traffic routing that is given."""
        rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": a} for a in alarms]}}
        self.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=config,
            DeploymentConfig={
                "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
                **(rollback if alarms else {}),
            },
        )

    def alarm(self, endpoint: str) -> str:
        """Make the alarm that goes off when one request in twenty fails."""
        name = self.cloud.name("errors")
        self.cloud.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=[
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": VARIANT},
            ],
            Statistic="Average",
            Period=10,
            EvaluationPeriods=1,
            Threshold=0.05,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        return name


@pytest.fixture(scope="module")
def endpoints(cloud):
    made = Endpoints(cloud)
    yield made
    for name in made.made:
        watched(cloud, name)
        made.sagemaker.delete_endpoint(EndpointName=name)


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def test_a_canary_gets_its_share_then_everything_and_no_request_fails(cloud, endpoints, wait_until):
    name = endpoints.serving(1)
    fresh = endpoints.config(2)
    with Load(cloud, name) as load:
        endpoints.update(
            name, fresh, Type="CANARY", CanarySize=percent(25), WaitIntervalInSeconds=2
        )
        told, statuses, stages = watched(cloud, name)
        asked = load.asked
        wait_until(lambda: load.asked, lambda count: count >= max(REQUESTS, asked + 20))
    assert statuses == ["Updating", "InService"]
    assert {"Baking", "ActivatingTraffic"} & set(stages)
    assert told["EndpointConfigName"] == fresh
    assert "PendingDeploymentSummary" not in told
    assert not load.errors
    assert load.answers[1] > 10
    assert load.answers[2] > 10


def test_linear_steps_and_a_rolling_update_end_on_the_new_model(cloud, endpoints):
    name = endpoints.serving(1, instances=2)
    with Load(cloud, name, threads=2) as load:
        fresh = endpoints.config(2, instances=2)
        size = percent(50)
        endpoints.update(name, fresh, Type="LINEAR", LinearStepSize=size, WaitIntervalInSeconds=1)
        assert watched(cloud, name)[0]["EndpointConfigName"] == fresh
        rolled = endpoints.config(3, instances=2)
        endpoints.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=rolled,
            DeploymentConfig={
                "RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 0}
            },
        )
        assert watched(cloud, name)[0]["EndpointConfigName"] == rolled
    assert not load.errors
    assert set(load.answers) == {1, 2, 3}


def test_an_alarm_on_the_endpoints_own_errors_rolls_a_bad_model_back(cloud, endpoints):
    name = endpoints.serving(1)
    before = endpoints.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    alarm = endpoints.alarm(name)
    with Load(cloud, name, threads=2, pause=0.02) as load:
        routing = {"CanarySize": percent(10), "WaitIntervalInSeconds": 30}
        bad = endpoints.config(2, flavour="raising")
        endpoints.update(name, bad, alarm, Type="CANARY", **routing)
        told, statuses, _ = watched(cloud, name)
        failed = load.errors.total()
        good = load.answers.total()
        while load.answers.total() < good + 50:
            continue
        assert load.errors.total() == failed
    assert (told["EndpointStatus"], told["EndpointConfigName"]) == ("InService", before)
    assert "RollingBack" in statuses
    assert alarm in told["FailureReason"]
    assert set(load.errors) == {"ModelError"}
    assert set(load.answers) == {1}


def test_scaling_out_and_in_loses_no_request(cloud, endpoints):
    name = endpoints.serving(1)
    with Load(cloud, name, threads=2) as load:
        for wanted in (3, 1):
            endpoints.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name,
                DesiredWeightsAndCapacities=[
                    {"VariantName": VARIANT, "DesiredInstanceCount": wanted}
                ],
            )
            told, _, _ = watched(cloud, name)
            assert told["ProductionVariants"][0]["CurrentInstanceCount"] == wanted
    assert not load.errors
    assert load.answers[1] > 20


def test_an_update_of_a_changing_endpoint_and_a_missing_alarm_are_refused(cloud, endpoints):
    name = endpoints.serving(1)
    fresh = endpoints.config(2)
    with pytest.raises(ClientError, match="Could not find the alarm"):
        endpoints.update(name, fresh, "nobody-made-it", Type="ALL_AT_ONCE", WaitIntervalInSeconds=0)
    with pytest.raises(ClientError, match="CanarySize is 80 percent"):
        size = percent(80)
        endpoints.update(name, fresh, Type="CANARY", CanarySize=size, WaitIntervalInSeconds=0)
    endpoints.update(name, fresh, Type="ALL_AT_ONCE", WaitIntervalInSeconds=2)
    with pytest.raises(ClientError, match="in status Updating"):
        endpoints.update(name, fresh, Type="ALL_AT_ONCE", WaitIntervalInSeconds=0)
    assert watched(cloud, name)[0]["EndpointConfigName"] == fresh


def test_the_caller_needs_to_see_the_alarms_that_it_names(cloud, endpoints):
    name = endpoints.serving(1)
    alarm = endpoints.alarm(name)
    credentials = cloud.assume(allow("sagemaker:*"))
    with pytest.raises(ClientError, match="cloudwatch:DescribeAlarms"):
        cloud.client("sagemaker", credentials).update_endpoint(
            EndpointName=name,
            EndpointConfigName=endpoints.config(2),
            DeploymentConfig={"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}},
        )


def test_a_killed_server_is_back_within_ten_seconds_and_the_alarm_tells(
    cloud, endpoints, wait_until
):
    name = endpoints.serving(1)
    alarm = endpoints.alarm(name)
    cloudwatch = cloud.client("cloudwatch")

    def state() -> str:
        (told,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return told["StateValue"]

    def kill() -> None:
        with pytest.raises(ClientError, match=r"ModelError|ServiceUnavailable"):
            cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"die")

    with Load(cloud, name, pause=0.02) as load:
        wait_until(load.answers.total, lambda count: count > 20)
        kill()
        kill()  # the first restart is at once, perhaps between two requests; the second is not
        wait_until(load.errors.total, bool, 10)
        answered = load.answers.total()
        wait_until(load.answers.total, lambda count: count > answered + 20, 10)
        wait_until(state, lambda found: found == "ALARM", 10)
        assert set(load.errors) <= {"ModelError", "ServiceUnavailable"}
        wait_until(state, lambda found: found == "OK", 30)


def test_a_load_scales_an_endpoint_out_and_its_end_scales_it_in(cloud, endpoints, wait_until):
    name = endpoints.serving(1)
    scaling = cloud.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    scaling.put_scaling_policy(
        **target,
        PolicyName="load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleOutCooldown": 1,
            "ScaleInCooldown": 1,
        },
    )

    def instances() -> int:
        told = cloud.client("sagemaker").describe_endpoint(EndpointName=name)
        return told["ProductionVariants"][0]["CurrentInstanceCount"]

    with Load(cloud, name, threads=2, pause=0.02) as load:
        wait_until(instances, lambda count: count == 2, 30)
    with Load(cloud, name, threads=1, pause=3.0) as after:
        wait_until(instances, lambda count: count == 1, 60)
    assert not load.errors
    assert not after.errors
    causes = [
        activity["Cause"]
        for activity in scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
            "ScalingActivities"
        ]
        if activity["ResourceId"] == target["ResourceId"]
    ]
    assert ["below 60" in causes[0], "above 60" in causes[-1]] == [True, True]
    scaling.deregister_scalable_target(**target)
