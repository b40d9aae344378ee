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
MONTHS = ("2020-01", "2020-02", "2020-03")
CONFIG = {
    "version": 1,
    "seed": 7,
    "split": {
        name: {"first": month, "last": month}
        for name, month in zip(("train", "validation", "test"), MONTHS, strict=True)
    },
    "categorical": [],
    "members": [
        {
            "name": name,
            "source": name,
            "algorithm": "lightgbm",
            "features": [f"{name}_value"],
            "gate": {"min_auc": 0.5},
        }
        for name in ("first", "second")
    ],
    "out_of_fold": [{"train_through": "2020-01", "score_through": "2020-02"}],
    "stacker": {"algorithm": "logistic", "l2": 1.0},
    "slices": [],
    "gates": GATES,
}
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


def test_a_dataset_that_expires_is_not_trained_on(world, call, dataset):
    world.dynamodb.update_item(
        TableName="metadata",
        Key={"pk": {"S": "DATASET#demo"}, "sk": {"S": dataset}},
        UpdateExpression="SET #state = :state",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":state": {"S": "expiring"}},
    )
    with pytest.raises(Exception, match="Dataset d-1 is expiring"):
        plan(world, call)


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
    registered = call(BLOCK, "register_model", event)
    call(BLOCK, "end_training", {"execution_arn": execution})
    return event, registered


def collect(call, planned, execution):
    members = [
        {
            "name": member["name"],
            "artefact_uri": member["artefact_uri"],
            "cache_key": member["cache_key"],
            "training_job_name": member["training_job_name"],
            "tuning_job_name": "",
            "hyperparameters": {},
        }
        for member in planned["members"]
    ]
    taken = ("training_id", "dataset_uri", "config_uri", "prepares", "prepared_uri")
    event = {name: planned[name] for name in taken}
    return call(BLOCK, "collect_members", {**event, "execution_arn": execution, "members": members})


def test_a_plan_is_what_sagemaker_takes(world, call, dataset):
    execution, planned = plan(world, call)

    assert planned["status"] == "ready"
    assert planned["dataset_uri"] == "s3://model-input/datasets/d-1/"
    assert [member["name"] for member in planned["members"]] == ["first", "second"]
    collected = collect(call, planned, execution)["stack_inputs"]
    assert [channel["ChannelName"] for channel in collected[:2]] == ["dataset", "config"]
    for member, channel in zip(planned["members"], collected[2:], strict=True):
        world.sagemaker.create_training_job(
            TrainingJobName=member["training_job_name"],
            RoleArn="arn:aws:iam::123456789012:role/training-role",
            **member["request"],
        )
        job = world.sagemaker.describe_training_job(TrainingJobName=member["training_job_name"])
        assert job["HyperParameters"]["member"] == member["name"]
        assert job["HyperParameters"]["threads"] == "3"
        assert channel["ChannelName"] == f"member-{member['name']}"
        assert channel["DataSource"]["S3DataSource"]["S3Uri"] == (
            f"{planned['output_uri']}/{member['training_job_name']}/output/model.tar.gz"
        )


def test_a_member_whose_inputs_are_the_same_is_not_trained_again(world, call, dataset):
    execution, planned = plan(world, call)
    collect(call, planned, execution)
    first = planned["members"][0]["artefact_uri"]
    world.put("model-store", first.removeprefix("s3://model-store/"), b"trained")
    world.stepfunctions.stop_execution(executionArn=execution)
    stricter = {**CONFIG, "gates": {**GATES, "min_auc": 0.71}}
    world.put("config-store", "published.json", stricter)

    _, again = plan(world, call)

    assert again["training_id"] != planned["training_id"]
    actions = {member["name"]: member["action"] for member in again["members"]}
    # The second member's artefact is gone from the store, so it is trained.
    assert actions == {"first": "reuse", "second": "train"}
    assert again["members"][0]["artefact_uri"] == first


def test_who_comes_while_another_one_trains_is_remembered_once_and_comes_after(
    world, call, dataset
):
    first, _ = plan(world, call)
    for seed in (8, 9):
        world.put("config-store", "published.json", {**CONFIG, "seed": seed})
        _, queued = plan(world, call)
        assert queued["status"] == "queued"

    ended = call(BLOCK, "end_training", {"execution_arn": first})
    again = call(BLOCK, "end_training", {"execution_arn": first})

    assert (ended, again) == ({"asked_for": "new data"}, {"asked_for": ""})
    due = [detail for kind, detail in world.announced() if kind == "TrainingDue"]
    assert due == [
        {
            "use_case": "demo",
            "dataset_id": "",
            "requested_by": "someone",
            "reason": "new data",
        }
    ]
    _, after = plan(world, call)
    assert after["status"] == "ready"


def test_a_reproduction_takes_everything_from_the_record_and_claims_nothing(world, call, dataset):
    _, registered = register(world, call)
    record = world.item("models", "MODEL#demo", "V#00000001")
    world.put("config-store", "published.json", {**CONFIG, "seed": 8})

    event = {
        "execution_arn": world.execution(running=True),
        "dataset_id": "",
        "reproduce_version": registered["version"],
        "requested_by": "someone",
        "reason": "proof",
    }
    planned = call(BLOCK, "plan_training", event)

    assert planned["reproduces"] is True
    assert planned["config_digest"] == record["config_digest"]
    assert planned["dataset_id"] == record["dataset_id"]
    assert {member["action"] for member in planned["members"]} == {"train"}
    assert [each["InputName"] for each in planned["reproduction_inputs"]] == [
        "original",
        "rebuilt",
    ]
    assert world.item("models", "TRAINING#demo", planned["training_id"]) is None


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
