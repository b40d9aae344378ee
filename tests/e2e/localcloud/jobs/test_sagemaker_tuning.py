"""Tuning jobs, through boto3: search, limits, early stopping, warm start, Step Functions."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights

SCORE = [{"Name": "score", "Regex": r"score=([-\d.e]+)"}]
X = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]}


@pytest.fixture(scope="module")
def data(cloud):
    bucket = cloud.bucket()
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"1\n2\n")
    return bucket


@pytest.fixture(scope="module")
def role(cloud, data):
    return cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))


@pytest.fixture(scope="module")
def tuning_request(cloud, data, role):
    def make(jobs=4, parallel=2, strategy="Random", ranges=X, early="Off", static=None, **more):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/numbers/"}
        config = {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxParallelTrainingJobs": parallel},
            "ParameterRanges": ranges,
            "TrainingJobEarlyStoppingType": early,
            "RandomSeed": 11,
        }
        if jobs:
            config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = jobs
        config |= more.pop("config", {})
        definition = {
            "StaticHyperParameters": static or {"steps": "2"},
            "AlgorithmSpecification": {
                "TrainingImage": cloud.image,
                "TrainingInputMode": "File",
                "MetricDefinitions": SCORE,
            },
            "RoleArn": role,
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{data}/tuned"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        return {
            "HyperParameterTuningJobName": cloud.name("tuning"),
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": definition,
            **more,
        }

    return make


@pytest.fixture
def tune(cloud, tuning_request, wait_until):
    sagemaker = cloud.client("sagemaker")

    def run(wait=True, client=sagemaker, **given):
        request = tuning_request(**given)
        client.create_hyper_parameter_tuning_job(**request)
        name = request["HyperParameterTuningJobName"]
        return ended(name) if wait else name

    def ended(name):
        return wait_until(
            lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda job: job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
        )

    def trials(job, **options):
        listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=job["HyperParameterTuningJobName"],
            MaxResults=100,
            **options,
        )
        return listed["TrainingJobSummaries"]

    run.ended, run.trials = ended, trials
    return run


def tuned(trial):
    return trial["TunedHyperParameters"]


def value(trial):
    return trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]


def test_the_best_job_is_found_and_every_job_accounted_for(cloud, tune):
    job = tune()
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    trials = tune.trials(job, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    values = [value(trial) for trial in trials]
    assert values == sorted(values, reverse=True)
    assert value(job["BestTrainingJob"]) == values[0]
    for trial in trials:
        assert value(trial) == pytest.approx(1 - (float(tuned(trial)["x"]) - 0.3) ** 2)
    best = cloud.client("sagemaker").describe_training_job(
        TrainingJobName=job["BestTrainingJob"]["TrainingJobName"]
    )
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert best["HyperParameters"] == {
        "steps": "2", "_tuning_objective_metric": "score", **tuned(job["BestTrainingJob"]),
    }  # fmt: skip
    assert best["ModelArtifacts"]["S3ModelArtifacts"].endswith("/model.tar.gz")


def test_the_same_seed_proposes_the_same_values(tune):
    first, second = (
        [tuned(trial) for trial in tune.trials(tune(jobs=3, parallel=1))] for _ in range(2)
    )
    assert first == second
    assert len({each["x"] for each in first}) == 3


def test_a_bayesian_search_finds_good_values(tune):
    job = tune(jobs=10, parallel=2, strategy="Bayesian")
    assert value(job["BestTrainingJob"]) > 0.99


def test_a_grid_tries_each_combination_once(tune):
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "x", "Values": ["0.1", "0.3"]},
            {"Name": "taste", "Values": ["sweet", "sour"]},
        ]
    }
    job = tune(jobs=None, parallel=4, strategy="Grid", ranges=ranges)
    tried = sorted((tuned(t)["x"], tuned(t)["taste"]) for t in tune.trials(job))
    assert tried == [(x, taste) for x in ("0.1", "0.3") for taste in ("sour", "sweet")]
    assert tuned(job["BestTrainingJob"])["x"] == "0.3"


def test_a_job_that_falls_behind_the_median_is_stopped_early(tune):
    ranges = {
        "CategoricalParameterRanges": [{"Name": "x", "Values": ["0.30", "0.3", "0.300", "9"]}]
    }
    job = tune(
        jobs=None, parallel=1, strategy="Grid", ranges=ranges, early="Auto",
        static={"steps": "40", "pause": "0.02"},
    )  # fmt: skip
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    trials = tune.trials(job, SortBy="Name")
    assert [(tuned(trial)["x"], trial["TrainingJobStatus"]) for trial in trials] == [
        *(("0.30", "Completed"), ("0.3", "Completed"), ("0.300", "Completed"), ("9", "Stopped")),
    ]
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


def test_a_warm_start_knows_what_its_parents_found(tune):
    parent = tune(jobs=8, parallel=4)
    name = parent["HyperParameterTuningJobName"]
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    job = tune(jobs=3, parallel=1, strategy="Bayesian", WarmStartConfig=warm)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    overall = max(value(parent["BestTrainingJob"]), value(job["BestTrainingJob"]))
    assert value(job["OverallBestTrainingJob"]) == overall
    with pytest.raises(ClientError, match="other hyperparameters"):
        tune(static={"steps": "2", "more": "1"}, WarmStartConfig=warm)


def test_a_target_ends_the_search(tune):
    job = tune(
        jobs=20, parallel=1,
        config={"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 0.1}},
    )  # fmt: skip
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_stopped_tuning_job_stops_its_training_jobs(cloud, tune, wait_until):
    sagemaker = cloud.client("sagemaker")
    name = tune(static={"steps": "100", "pause": "1"}, wait=False)
    wait_until(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 2,
    )
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = tune.ended(name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert {trial["TrainingJobStatus"] for trial in tune.trials(job)} == {"Stopped"}


def test_a_search_without_an_objective_fails_with_the_reason(tune):
    job = tune(jobs=2, static={"steps": "1", "silent": "true"})
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "No objective metrics found after running 2 training jobs" in job["FailureReason"]
    job = tune(jobs=2, static={"steps": "1", "fail": "out of luck"})
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "All training jobs failed" in job["FailureReason"]
    assert "out of luck" in job["FailureReason"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"strategy": "Hyperband"}, "does not support Strategy Hyperband"),
        ({"strategy": "Grid"}, "categorical hyperparameter ranges only"),
        ({"static": {"x": "1"}}, "both static and tuned: x"),
        ({"jobs": None}, "MaxNumberOfTrainingJobs or MaxRuntimeInSeconds"),
        (
            {
                "config": {
                    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "y"}
                }
            },
            "objective metric y is not one of the metric definitions",
        ),
        (
            {"ranges": {"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}},
            "no range is known for x",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(tune, given, reason):
    with pytest.raises(ClientError, match=reason):
        tune(**given)


def test_a_caller_needs_the_action_and_the_right_to_pass_the_role(cloud, role, tune):
    jobs = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:hyper-parameter-tuning-job/*"
    create = allow(["sagemaker:CreateHyperParameterTuningJob"], jobs)
    with pytest.raises(ClientError, match="iam:PassRole"):
        tune(client=cloud.client("sagemaker", cloud.assume(create)))
    both = cloud.client("sagemaker", cloud.assume(create, allow("iam:PassRole", role)))
    assert tune(client=both, jobs=1)["HyperParameterTuningJobStatus"] == "Completed"


def test_a_state_machine_waits_for_its_tuning_job(cloud, role, tuning_request):
    definition = {
        "StartAt": "Tune",
        "States": {
            "Tune": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
                "Parameters": tuning_request(jobs=2),
                "End": True,
            }
        },
    }
    tuning = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:hyper-parameter-tuning-job/*"
    verbs = [f"sagemaker:{v}HyperParameterTuningJob" for v in ("Create", "Describe", "Stop")]
    machine = cloud.role("states.amazonaws.com", allow(verbs, tuning), allow("iam:PassRole", role))
    workflows = cloud.client("stepfunctions")
    created = workflows.create_state_machine(
        name=cloud.name("tuner"), definition=json.dumps(definition), roleArn=machine
    )
    started = workflows.start_execution(stateMachineArn=created["stateMachineArn"])
    execution = cloud.finished(started["executionArn"])
    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    assert output["HyperParameterTuningJobStatus"] == "Completed"
    assert float(output["BestTrainingJob"]["TunedHyperParameters"]["x"]) >= 0
