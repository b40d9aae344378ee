"""The deployment's functions through their handlers, on moto."""

from __future__ import annotations

import json

import boto3
import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.items import to_item

BLOCK = "inference"
ENDPOINT = "fourblocks-test-demo"


def register(world, version, state="approved"):
    record = {
        "pk": "MODEL#demo",
        "sk": f"V#{version:08d}",
        "version": version,
        "model_id": f"m-{version}",
        "state": state,
        "artefact_uri": f"s3://model-store/models/m-{version}/model.tar.gz",
        "artefact_sha256": "0" * 64,
        "golden_uri": f"s3://model-store/models/m-{version}/golden.jsonl",
        "image_uri": "registry/image@sha256:1",
    }
    world.dynamodb.put_item(TableName="models", Item=to_item(record))


def plan(call, version, execution="arn:x", **given):
    wish = {"version": version, "reason": "r", "requested_by": "me", **given}
    return call(BLOCK, "plan_deployment", {"execution_arn": execution, "input": wish})


def record(call, planned, execution="arn:x"):
    taken = ("version", "kind", "endpoint_name", "endpoint_config_name")
    event = {name: planned[name] for name in taken}
    who = {"execution_arn": execution, "reason": "better", "requested_by": "me"}
    return call(BLOCK, "record_deployment", {**event, **who})


def end(call, planned, execution, outcome="succeeded"):
    known = {"plan": planned, "reason": "better", "requested_by": "me"}
    event = {"execution_arn": execution, "outcome": outcome, "input": known}
    return call(BLOCK, "end_deployment", event)


def deploy(call, version, execution, **given):
    """Plan, record and end a deployment, as the workflow does."""
    planned = plan(call, version, execution, **given)
    recorded = record(call, planned, execution)
    end(call, planned, execution)
    return recorded


def create(world, planned):
    world.sagemaker.create_model(
        ModelName=planned["model_name"],
        ExecutionRoleArn="arn:aws:iam::123456789012:role/serving-role",
        Containers=planned["containers"],
    )
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=planned["endpoint_config_name"],
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": planned["model_name"],
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
    )
    world.sagemaker.create_endpoint(
        EndpointName=planned["endpoint_name"],
        EndpointConfigName=planned["endpoint_config_name"],
    )


def test_a_first_plan_creates_everything(world, call):
    register(world, 1)

    planned = plan(call, 1)

    flags = ("model_exists", "endpoint_config_exists", "endpoint_exists", "already_serving")
    assert [planned[flag] for flag in flags] == [False] * 4
    (container,) = planned["containers"]
    assert container["Environment"] == {"USE_CASE": "demo", "MODEL_VERSION": "1"}
    assert planned["endpoint_name"] == ENDPOINT
    assert "previous_endpoint_config_name" not in planned


def test_a_second_plan_finds_everything(world, call):
    register(world, 1)
    create(world, plan(call, 1))

    planned = plan(call, 1)

    flags = ("model_exists", "endpoint_config_exists", "endpoint_exists", "already_serving")
    assert [planned[flag] for flag in flags] == [True] * 4


def test_another_version_replaces_the_config_that_serves(world, call):
    register(world, 1)
    register(world, 2)
    first = plan(call, 1)
    create(world, first)

    second = plan(call, 2)

    assert second["endpoint_exists"]
    assert not second["already_serving"]
    assert second["previous_endpoint_config_name"] == first["endpoint_config_name"]


def test_a_rejected_model_is_not_deployed(world, call):
    register(world, 1, state="rejected")
    with pytest.raises(Exception, match="only approved"):
        plan(call, 1)


def test_a_deployment_is_recorded_once(world, call):
    register(world, 1)
    planned = plan(call, 1)

    first, again = record(call, planned), record(call, planned)

    assert first == again == {"version": 1, "replaced_version": None}
    assert world.item("models", "MODEL#demo", "V#00000001")["state"] == "deployed"
    assert world.item("models", "MODEL#demo", "SERVING")["version"] == 1
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    assert [(r["event_type"], r["actor"], r["reason"]) for r in records] == [
        ("model_deployed", "me", "better")
    ]
    assert world.announced()[0][0] == "ModelDeployed"


def test_the_replaced_version_retires_and_can_come_back(world, call):
    register(world, 1)
    register(world, 2)
    deploy(call, 1, "arn:1")

    replaced = deploy(call, 2, "arn:2")
    assert replaced == {"version": 2, "replaced_version": 1}
    assert world.item("models", "MODEL#demo", "V#00000001")["state"] == "retired"

    back = deploy(call, 1, "arn:3")
    assert back == {"version": 1, "replaced_version": 2}
    assert world.item("models", "MODEL#demo", "V#00000001")["state"] == "deployed"
    assert world.item("models", "MODEL#demo", "V#00000002")["state"] == "retired"


def test_a_rollback_blocks_what_it_replaces_and_says_why(world, call):
    register(world, 1)
    register(world, 2)
    deploy(call, 1, "arn:1")
    deploy(call, 2, "arn:2")

    back = deploy(call, 0, "arn:3", action="rollback", to="previous")

    assert back == {"version": 1, "replaced_version": 2}
    assert world.item("models", "MODEL#demo", "V#00000002")["state"] == "blocked"
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    assert [(r["event_type"], r["subject"]) for r in records][-2:] == [
        ("model_deployed", "v1"),
        ("model_rolled_back", "v2"),
    ]


def test_who_has_lost_the_lease_records_nothing(world, call):
    register(world, 1)
    register(world, 2)
    dead = world.execution(running=False)
    late = plan(call, 1, dead)
    deploy(call, 2, world.execution(running=True))

    with pytest.raises(Exception, match="took the lease"):
        record(call, late, dead)

    assert world.item("models", "MODEL#demo", "SERVING")["version"] == 2


def test_a_second_deployment_is_told_of_the_first(world, call):
    register(world, 1)
    plan(call, 1, world.execution(running=True))
    with pytest.raises(Exception, match="Version 1 is being deployed already"):
        plan(call, 1, "arn:second")


def test_the_end_removes_what_serves_no_more(world, call):
    register(world, 1)
    planned = plan(call, 1, "arn:1")
    create(world, planned)
    record(call, planned, "arn:1")

    assert end(call, planned, "arn:1") == {"ended": True, "removed": [], "blocked": False}

    register(world, 2)
    failed = plan(call, 2, "arn:2")
    world.sagemaker.create_model(
        ModelName=failed["model_name"], ExecutionRoleArn="arn:aws:iam::123456789012:role/serving"
    )
    assert end(call, failed, "arn:2", "failed")["removed"] == [failed["model_name"]]


def test_an_endpoint_scales_between_the_configured_limits(world, call, monkeypatch):
    limits = {"min_count": 2, "max_count": 6, "invocations": 500}
    monkeypatch.setenv("SCALING", json.dumps(limits))
    register(world, 1)
    planned = plan(call, 1, "arn:1")
    create(world, planned)
    record(call, planned, "arn:1")

    end(call, planned, "arn:1")

    scaling = boto3.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    assert target["ResourceId"] == f"endpoint/{ENDPOINT}/variant/AllTraffic"
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 500


def test_what_was_counted_is_judged_and_the_verdict_told(world, call):
    for version, counts in (("1", {"answers": 90}), ("2", {"answers": 10})):
        count(world, version, counts)
    event = {"execution_arn": "arn:x", "version": 2, "champion": "1", "endpoint_name": ENDPOINT}
    first = call(BLOCK, "judge_canary", event)
    assert first["verdict"] == "continue"
    count(world, "1", {"answers": 180})
    count(world, "2", {"answers": 10, "failures": 20})

    second = call(BLOCK, "judge_canary", {**event, "state": first["state"]})

    assert second["verdict"] == "roll_back"
    assert second["compared"].startswith("2: 20 requests, 1: 90 requests")
    told = world.cloudwatch.get_metric_statistics(
        Namespace="Fourblocks/Deployment",
        MetricName="BadVersion",
        Dimensions=[{"Name": "EndpointName", "Value": ENDPOINT}],
        StartTime="2000-01-01",
        EndTime="2100-01-01",
        Period=3600,
        Statistics=["Maximum", "SampleCount"],
    )["Datapoints"]
    assert max(point["Maximum"] for point in told) == 1


def count(world, version, counts):
    item = {"endpoint_name": ENDPOINT, "version": version, **counts}
    world.dynamodb.put_item(TableName="evidence", Item=to_item(item))
