"""The training pipeline's functions through their handlers, on moto."""

from __future__ import annotations

import hashlib

import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.ledger import verify_chain
from tests.integration.conftest import artefact

BLOCK = "training_pipeline"
GATES = {
    "min_auc": 0.7,
    "max_log_loss": 0.5,
    "max_brier": 0.2,
    "max_ece": 0.03,
    "min_gain_log_loss": 0.001,
    "max_slice_loss_log_loss": 0.02,
    "max_model_size_bytes": 1000000,
    "max_latency_ms_p50": 5.0,
}
CONFIG = {"seed": 7, "members": [{"name": "first"}, {"name": "second"}], "gates": GATES}
METRICS = {
    "auc": 0.75,
    "pr_auc": 0.6,
    "log_loss": 0.45,
    "brier": 0.16,
    "ece": 0.02,
    "base_rate": 0.1 + 0.2,
    "rows": 100,
}


@pytest.fixture
def dataset(world):
    item = {
        "pk": {"S": "DATASET#demo"},
        "dataset_id": {"S": "d-1"},
        "manifest_uri": {"S": "s3://model-input/datasets/d-1/manifest.json"},
    }
    for sort_key in ("LATEST", "d-1"):
        world.dynamodb.put_item(TableName="metadata", Item={**item, "sk": {"S": sort_key}})
    world.put("config-store", "published.json", CONFIG)
    return "d-1"


def plan(world, call, execution=None):
    execution = execution or world.execution(running=True)
    event = {"execution_arn": execution, "requested_by": "someone", "reason": "new data"}
    return execution, call(BLOCK, "plan_training", {**event, "dataset_id": ""})


def evaluate(world, planned, **changes):
    evaluation = {
        "dataset_id": planned["dataset_id"],
        "challenger": METRICS,
        "baselines": {},
        "members": {},
        "without_source": {},
        "slices": {},
        "model_size_bytes": 1000,
        "latency_ms_p50": 1.0,
        **changes,
    }
    key = planned["evaluation_output_uri"].removeprefix("s3://model-store/")
    world.put("model-store", f"{key}/evaluation.json", evaluation)


def judge(call, planned):
    return call(
        BLOCK,
        "judge_model",
        {
            "training_id": planned["training_id"],
            "evaluation_uri": planned["evaluation_output_uri"],
        },
    )


def registration(world, planned, verdict, execution, content):
    uri = world.put("model-store", f"trainings/{planned['training_id']}/model.tar.gz", content)
    taken = ("training_id", "dataset_id", "config_digest", "image_uri")
    return {
        **{name: planned[name] for name in taken},
        **verdict,
        "artefact_uri": uri,
        "execution_arn": execution,
        "requested_by": "someone",
    }


def register(world, call, content=None):
    execution, planned = plan(world, call)
    evaluate(world, planned)
    content = content or artefact(golden=b'{"request": 1}\n')
    event = registration(world, planned, judge(call, planned), execution, content)
    return event, call(BLOCK, "register_model", event)


def test_a_plan_is_what_sagemaker_takes(world, call, dataset):
    _, planned = plan(world, call)

    assert planned["status"] == "ready"
    assert planned["dataset_uri"] == "s3://model-input/datasets/d-1/"
    assert [member["name"] for member in planned["members"]] == ["first", "second"]
    for member, channel in zip(planned["members"], planned["stack_inputs"][1:], strict=True):
        world.sagemaker.create_training_job(
            TrainingJobName=member["training_job_name"],
            HyperParameters=member["hyperparameters"],
            AlgorithmSpecification={
                "TrainingImage": planned["image_uri"],
                "TrainingInputMode": "File",
            },
            RoleArn="arn:aws:iam::123456789012:role/training-role",
            InputDataConfig=planned["stack_inputs"],
            OutputDataConfig={"S3OutputPath": planned["output_uri"]},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
        job = world.sagemaker.describe_training_job(TrainingJobName=member["training_job_name"])
        assert job["HyperParameters"]["member"] == member["name"]
        assert job["HyperParameters"]["threads"] == "3"
        assert channel["ChannelName"] == f"member-{member['name']}"
        assert channel["DataSource"]["S3DataSource"]["S3Uri"] == (
            f"{planned['output_uri']}/{member['training_job_name']}/output/model.tar.gz"
        )


def test_the_configuration_of_a_training_is_kept_under_its_digest(world, call, dataset):
    _, planned = plan(world, call)

    kept = world.read("config-store", f"training/{planned['config_digest']}.json")

    assert hashlib.sha256(kept).hexdigest() == planned["config_digest"]


def test_one_execution_trains_the_same_inputs_at_a_time(world, call, dataset):
    first, owned = plan(world, call)
    _, taken = plan(world, call)
    world.stepfunctions.stop_execution(executionArn=first)
    _, over = plan(world, call)

    assert [p["status"] for p in (owned, taken, over)] == ["ready", "taken", "ready"]
    assert owned["training_id"] == over["training_id"]
    assert owned["stack_job_name"] != over["stack_job_name"]


def test_without_a_published_dataset_there_is_nothing_to_train_on(world, call):
    world.put("config-store", "published.json", CONFIG)
    with pytest.raises(Exception, match="no published dataset"):
        plan(world, call)


def test_a_model_gets_one_version_however_often_the_step_repeats(world, call, dataset):
    content = artefact(golden=b'{"request": 1}\n')
    event, first = register(world, call, content)
    again = call(BLOCK, "register_model", event)

    model_id = f"m-{hashlib.sha256(content).hexdigest()[:16]}"
    assert first == again
    assert (first["version"], first["model_id"], first["state"]) == (1, model_id, "approved")
    assert world.read("model-store", f"models/{model_id}/model.tar.gz") == content
    assert world.read("model-store", f"models/{model_id}/golden.jsonl") == b'{"request": 1}\n'
    record = world.item("models", "MODEL#demo", "V#00000001")
    assert record["metrics"]["base_rate"] == METRICS["base_rate"]
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    assert [entry["event_type"] for entry in records] == [
        "model_trained",
        "model_judged",
        "model_registered",
    ]
    assert verify_chain(records) == 3
    assert world.announced()[0][0] == "ModelRegistered"


def test_the_same_inputs_are_not_trained_again_but_point_at_their_version(world, call, dataset):
    register(world, call)

    _, unchanged = plan(world, call)

    assert unchanged["status"] == "unchanged"
    assert (unchanged["registered_version"], unchanged["registered_state"]) == (1, "approved")


def test_versions_have_no_gaps(world, call, dataset):
    register(world, call)
    world.put("config-store", "published.json", {**CONFIG, "seed": 8})
    _, second = register(world, call)

    assert second["version"] == 2
    assert world.item("models", "MODEL#demo", "COUNTER")["version"] == 2


def test_a_rejected_model_is_recorded_with_its_reasons(world, call, dataset):
    execution, planned = plan(world, call)
    evaluate(world, planned, challenger={**METRICS, "auc": 0.5})

    verdict = judge(call, planned)
    event = registration(world, planned, verdict, execution, artefact(golden=b"{}\n"))
    answer = call(BLOCK, "register_model", event)

    assert verdict["verdict"] == answer["state"] == "rejected"
    assert verdict["reasons"][0] == "AUC 0.5 is below the required 0.7."
    assert world.announced()[0][0] == "ModelRejected"


def test_an_artefact_without_golden_requests_is_not_registered(world, call, dataset):
    with pytest.raises(Exception, match=r"golden\.jsonl"):
        register(world, call, artefact(other=b"{}\n"))
    assert world.item("models", "MODEL#demo", "COUNTER") is None


def test_who_lost_the_claim_does_not_register(world, call, dataset):
    execution, planned = plan(world, call)
    evaluate(world, planned)
    verdict = judge(call, planned)
    event = registration(world, planned, verdict, execution, artefact(golden=b"{}\n"))
    failed = {"execution_arn": execution, "error": "E", "cause": '{"ErrorMessage": "no disk"}'}
    released = call(BLOCK, "release_training", {"training_id": planned["training_id"], **failed})

    assert (released["outcome"], released["reason"]) == ("released", "no disk")
    with pytest.raises(Exception, match="not held by"):
        call(BLOCK, "register_model", event)
    _, retried = plan(world, call)
    assert retried["status"] == "ready"


def test_a_verdict_against_a_champion_that_is_gone_is_not_given(world, call, dataset):
    _, planned = plan(world, call)
    evaluate(world, planned)
    serving = {"pk": {"S": "MODEL#demo"}, "sk": {"S": "SERVING"}, "version": {"N": "4"}}
    world.dynamodb.put_item(TableName="models", Item=serving)

    with pytest.raises(Exception, match="Train again"):
        judge(call, planned)
