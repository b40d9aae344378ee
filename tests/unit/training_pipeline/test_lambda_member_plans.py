"""A member of any mode becomes a request that SageMaker takes, to the letter."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lambdas.training_pipeline.plan_training.job_names import TUNING_LENGTH, tuning_name
from lambdas.training_pipeline.plan_training.member_plans import (
    MarketplaceModelError,
    Places,
    Sizes,
    cache_key,
    images_of,
    marketplace_model_request,
    member_plan,
    training_request,
    tuning_request,
)
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.member_jobs import member_jobs
from tests.integration.training_pipeline.test_lambda_functions import CONFIG

SERVICE = botocore.session.get_session().get_service_model("sagemaker")
IMAGES = images_of(
    "1.dkr.ecr.us-east-1.amazonaws.com/own@sha256:1",
    {"xgboost": "2.dkr/xgboost:1", "linear-learner": "3.dkr/linear:1", "sklearn": "2.dkr/sk:1"},
)
PLACES = Places("s3://d/data/", "s3://c/training/1.json", "s3://m/t/prepared", "s3://m/t")
SIZES = Sizes("ml.m5.large", 10, 3600)
ALGORITHM_ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/vendor-1"
PACKAGE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/vendor-1"
ROLE = "arn:aws:iam::123456789012:role/training-jobs"


def document(algorithm, **member):
    first = {**CONFIG["members"][0], "algorithm": algorithm, **member}
    return {**CONFIG, "members": [first, CONFIG["members"][1]]}


def job_of(configuration):
    config = ensemble_config_of(configuration)
    jobs = {job["name"]: job for job in member_jobs(config, use_case="demo", threads=2)}
    return config, jobs[configuration["members"][0]["name"]]


def sent(request, **more):
    """Validate a whole CreateTrainingJob against botocore's own model, as a client would."""
    whole = {
        "TrainingJobName": "job-1",
        "RoleArn": ROLE,
        "EnableNetworkIsolation": True,
        **request,
        **more,
    }
    shape = SERVICE.operation_model("CreateTrainingJob").input_shape
    validate_parameters(whole, shape)
    return whole


@pytest.mark.parametrize(
    ("algorithm", "image", "channels"),
    [
        ("lightgbm", IMAGES["lightgbm"], ["dataset", "config"]),
        ("xgboost", IMAGES["xgboost"], ["train", "validation"]),
        ("linear-learner", IMAGES["linear-learner"], ["train", "validation"]),
        ("sklearn", IMAGES["sklearn"], ["train", "validation", "code"]),
    ],
)
def test_one_changed_line_gives_another_image_with_its_channels(algorithm, image, channels):
    _, job = job_of(document(algorithm))
    request = sent(training_request(job, IMAGES, PLACES, SIZES))
    assert request["AlgorithmSpecification"]["TrainingImage"] == image
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == channels
    kinds = {c["ChannelName"]: c.get("ContentType") for c in request["InputDataConfig"]}
    csv = None if algorithm == "lightgbm" else "text/csv"
    assert {name: kind for name, kind in kinds.items() if name != "code"} == {
        name: csv for name in channels if name != "code"
    }
    assert all(isinstance(value, str) for value in request["HyperParameters"].values())


def test_prepared_channels_lie_where_the_preparation_writes():
    _, job = job_of(document("xgboost"))
    channels = training_request(job, IMAGES, PLACES, SIZES)["InputDataConfig"]
    uris = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels]
    assert uris == ["s3://m/t/prepared/first/train/", "s3://m/t/prepared/first/validation/"]


def test_a_marketplace_algorithm_is_named_by_its_arn_and_has_no_image():
    _, job = job_of(document({"marketplace_algorithm": ALGORITHM_ARN}))
    request = sent(training_request(job, IMAGES, PLACES, SIZES))
    assert request["AlgorithmSpecification"] == {
        "AlgorithmName": ALGORITHM_ARN,
        "TrainingInputMode": "File",
    }


def test_a_marketplace_model_is_a_model_of_its_package_and_no_member():
    _, job = job_of(document({"marketplace_model": PACKAGE_ARN}))
    request = marketplace_model_request(job, "model-1", ROLE)
    validate_parameters(request, SERVICE.operation_model("CreateModel").input_shape)
    assert request == {
        "ModelName": "model-1",
        "PrimaryContainer": {"ModelPackageName": PACKAGE_ARN},
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": True,
    }
    made = training_request(job, IMAGES, PLACES, SIZES)
    with pytest.raises(MarketplaceModelError, match=r"first.*model-package/vendor-1"):
        member_plan(job, training_job_name="j", key="k", known=None, request=made, tuning=None)


def test_a_trained_artefact_is_taken_as_it_is():
    given = {"uri": "s3://m/pretrained/model.tar.gz", "sha256": "0" * 64}
    _, job = job_of(document({"pretrained": given}))
    request = training_request(job, IMAGES, PLACES, SIZES)
    plan = member_plan(
        job, training_job_name="j", key="k", known=None, request=request, tuning=None
    )
    assert (plan["action"], plan["artefact_uri"]) == ("reuse", given["uri"])
    assert plan["cache_key"] == ""


def test_a_job_stops_at_its_budget_and_never_later_than_the_environment_allows():
    for budget, limit in ((600, 600), (7200, 3600)):
        _, job = job_of(document("lightgbm", resources={"budget_seconds": budget}))
        request = sent(training_request(job, IMAGES, PLACES, SIZES))
        assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": limit}
        assert request["EnableManagedSpotTraining"] is False


def test_spot_jobs_wait_longer_than_they_run_and_keep_checkpoints():
    resources = {"spot": True, "budget_seconds": 600, "instance_type": "ml.c5.xlarge"}
    _, job = job_of(document("lightgbm", resources=resources))
    request = sent(training_request(job, IMAGES, PLACES, SIZES))
    assert request["EnableManagedSpotTraining"] is True
    stopping = request["StoppingCondition"]
    assert stopping["MaxWaitTimeInSeconds"] > stopping["MaxRuntimeInSeconds"] == 600
    assert request["CheckpointConfig"]["S3Uri"] == "s3://m/t/checkpoints/first"
    assert request["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"


SEARCH = {
    "search": {
        "xgboost": {
            "eta": {"type": "continuous", "min": 0.01, "max": 0.3, "scaling": "Logarithmic"},
            "max_depth": {"type": "integer", "min": 3, "max": 8},
        }
    }
}
TUNING = {
    "strategy": "Bayesian",
    "max_jobs": 6,
    "max_parallel_jobs": 2,
    "early_stopping": True,
    "warm_start": True,
}


@pytest.mark.parametrize("parent", [None, "fourblocks-local-0123456789abcde"])
def test_a_search_is_a_tuning_job_that_may_go_on_from_an_earlier_one(parent):
    config, job = job_of({**document("xgboost", **SEARCH), "tuning": TUNING})
    name = tuning_name("fourblocks-local", "first", "t-1", "arn:1")
    request = training_request(job, IMAGES, PLACES, SIZES)
    tuning = tuning_request(job, config.tuning, name, config.seed, parent)
    plan = member_plan(
        job, training_job_name="j", key="k", known=None, request=request, tuning=tuning
    )
    assert plan["action"] == ("tune_on" if parent else "tune")
    assert plan["artefact_uri"] == ""
    definition = {
        "StaticHyperParameters": request["HyperParameters"],
        "RoleArn": ROLE,
        **{k: v for k, v in request.items() if k != "HyperParameters"},
    }
    whole = {name: value for name, value in tuning.items() if value is not None}
    shape = SERVICE.operation_model("CreateHyperParameterTuningJob").input_shape
    validate_parameters({**whole, "TrainingJobDefinition": definition}, shape)
    assert not {"eta", "max_depth"} & request["HyperParameters"].keys()
    assert len(name) <= TUNING_LENGTH


def key(configuration, dataset="d-1", images=IMAGES):
    _, job = job_of(configuration)
    return cache_key(job, configuration, dataset, images)


def test_what_an_artefact_depends_on_is_in_its_key():
    base = key(document("lightgbm"))
    others = [
        key(document("lightgbm"), dataset="d-2"),
        key(document("lightgbm"), images={**IMAGES, "lightgbm": "another"}),
        key(document("xgboost")),
        key(document("lightgbm", features=["other_value"])),
        key(document("lightgbm", parameters={"lightgbm": {"num_leaves": 5}})),
        key({**document("lightgbm"), "seed": 8}),
    ]
    assert len({base, *others}) == 1 + len(others)


def test_gates_resources_and_other_members_are_not():
    base = document("lightgbm")
    stricter = {**base, "gates": {**base["gates"], "min_auc": 0.9}}
    bigger = document("lightgbm", resources={"instance_type": "ml.c5.xlarge", "spot": True})
    other = {**base, "members": [base["members"][0]]}
    assert {key(base), key(stricter), key(bigger), key(other)} == {key(base)}


def test_members_of_an_additive_model_depend_on_each_other():
    base = {**document("lightgbm"), "additive": {"rounds": 9}}
    first, *rest = base["members"]
    extra = {**first, "name": "another"}
    switched_off = {**extra, "enabled": False}
    faster = {**base, "additive": {"rounds": 8}}
    assert key({**base, "members": [first, *rest, switched_off]}) == key(base)
    assert len({key(document("lightgbm")), key(base), key(faster)}) == 3
    assert key({**base, "members": [first, *rest, extra]}) != key(base)
