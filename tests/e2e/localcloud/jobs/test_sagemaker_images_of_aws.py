"""AWS's own images: training and serving through boto3, as their documentation shows."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import bucket_rights

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
LINEAR = "664544806723.dkr.ecr.eu-central-1.amazonaws.com/linear-learner:1"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SCRIPT = """
import argparse, json, os, pathlib
import joblib, numpy as np
from sklearn.linear_model import LogisticRegression

def model_fn(folder):
    return joblib.load(pathlib.Path(folder) / "model.joblib")

def predict_fn(rows, model):
    return model.predict_proba(np.atleast_2d(rows))[:, 1]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--inverse-strength", type=float)
    parser.add_argument("--flavour")
    options = parser.parse_args()
    if options.flavour == "sour":
        raise SystemExit("cannot train on " + options.flavour)
    table = np.loadtxt(os.environ["SM_CHANNEL_TRAIN"] + "/part-0.csv", delimiter=",")
    model = LogisticRegression(C=options.inverse_strength).fit(table[:, 1:], table[:, 0])
    print("cpus", os.environ["SM_NUM_CPUS"], "strength", os.environ["SM_HP_INVERSE-STRENGTH"
          if "SM_HP_INVERSE-STRENGTH" in os.environ else "SM_HP_INVERSE_STRENGTH"])
    print("accuracy=%.4f" % model.score(table[:, 1:], table[:, 0]))
    joblib.dump(model, pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
"""

SCALING = """
import numpy as np

def model_fn(folder):
    return 10

def predict_fn(rows, factor):
    return np.atleast_2d(rows) / factor
"""


@pytest.fixture(scope="module")
def data(cloud):
    bucket, random = cloud.bucket(), np.random.default_rng(5)
    features = random.normal(size=(400, 3))
    labels = (features[:, 0] - features[:, 1] + random.normal(size=400) > 0).astype(int)
    table = np.column_stack([labels, features])
    for channel, part in (("train", table[:300]), ("validation", table[300:])):
        text = "\n".join(",".join(map(repr, row)) for row in part.tolist())
        cloud.client("s3").put_object(
            Bucket=bucket, Key=f"{channel}/part-0.csv", Body=text.encode()
        )
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("fit.py")
        entry.size = len(SCRIPT)
        tar.addfile(entry, io.BytesIO(SCRIPT.encode()))
    cloud.client("s3").put_object(Bucket=bucket, Key="code.tar.gz", Body=archive.getvalue())
    return bucket


@pytest.fixture(scope="module")
def role(cloud, data):
    return cloud.role("sagemaker.amazonaws.com", *bucket_rights(data))


@pytest.fixture(scope="module")
def train(cloud, data, role, wait_until):
    sagemaker = cloud.client("sagemaker")

    def channel(name):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/{name}/"}
        return {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": source},
        }

    def run(image, isolated=False, instance="ml.m5.large", metrics=None, **hyperparameters):
        name = cloud.name("aws-image")
        algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
        if metrics:
            algorithm["MetricDefinitions"] = metrics
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            EnableNetworkIsolation=isolated,
            HyperParameters=hyperparameters,
            AlgorithmSpecification=algorithm,
            InputDataConfig=[channel("train"), channel("validation")],
            OutputDataConfig={"S3OutputPath": f"s3://{data}/models"},
            ResourceConfig={"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
        return wait_until(
            lambda: sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    return run


@pytest.fixture
def served(cloud, role, wait_until):
    sagemaker, made = cloud.client("sagemaker"), []

    def serve(image, job, **environment):
        name = cloud.name("aws-image-endpoint")
        container = {
            "Image": image,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            "Environment": environment,
        }
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        made.append(name)
        endpoint = wait_until(
            lambda: sagemaker.describe_endpoint(EndpointName=name),
            lambda endpoint: endpoint["EndpointStatus"] != "Creating",
        )
        assert endpoint["EndpointStatus"] == "InService", endpoint

        def invoke(body, accept, content_type="text/csv"):
            runtime = cloud.client("sagemaker-runtime")
            answer = runtime.invoke_endpoint(
                EndpointName=name, Body=body, ContentType=content_type, Accept=accept
            )
            return answer["Body"].read().decode()

        return invoke

    yield serve
    for name in made:
        sagemaker.delete_endpoint(EndpointName=name)


def artefact(cloud, data, job):
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    key = uri.removeprefix(f"s3://{data}/")
    body = cloud.client("s3").get_object(Bucket=data, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}


def test_xgboost_trains_isolated_reports_its_metrics_and_serves(cloud, data, train, served):
    job = train(
        XGBOOST, isolated=True, objective="binary:logistic", num_round="5", eval_metric="auc",
        nthread="1",
    )  # fmt: skip
    assert job["TrainingJobStatus"] == "Completed", job
    final = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert set(final) == {"train:auc", "validation:auc"}
    assert 0.75 < final["validation:auc"] < final["train:auc"]
    assert "validation:auc" in [
        each["Name"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]
    ]
    log = cloud.log("/aws/sagemaker/TrainingJobs", job["TrainingJobName"])
    assert "[4]#011train-auc:" in log
    content = artefact(cloud, data, job)
    assert list(content) == ["xgboost-model"]
    model = xgboost.Booster(model_file=bytearray(content["xgboost-model"]))
    expected = model.predict(xgboost.DMatrix(np.array([[1.0, -1.0, 0.5]], np.float32)))
    told = json.loads(served(XGBOOST, job)("1.0,-1.0,0.5", "application/json"))
    assert told == {"predictions": [{"score": float(expected[0])}]}


def test_linear_learner_trains_and_serves(cloud, data, train, served):
    job = train(LINEAR, predictor_type="binary_classifier", mini_batch_size="50")
    assert job["TrainingJobStatus"] == "Completed", job
    final = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert final["validation:roc_auc_score"] > 0.8
    assert 0 < final["validation:objective_loss"] < 0.6
    assert list(artefact(cloud, data, job)) == ["model_algo-1"]
    answer = json.loads(served(LINEAR, job)("2,-2,0\n-2,2,0", "application/json"))
    assert [each["predicted_label"] for each in answer["predictions"]] == [1, 0]


def script_mode(data, **hyperparameters):
    return {
        "sagemaker_program": json.dumps("fit.py"),
        "sagemaker_submit_directory": json.dumps(f"s3://{data}/code.tar.gz"),
        **{name: json.dumps(value) for name, value in hyperparameters.items()},
    }


def test_a_script_trains_in_the_framework_container_and_serves(cloud, data, train, served):
    given = script_mode(data, **{"inverse-strength": 0.5})
    metrics = [{"Name": "accuracy", "Regex": r"accuracy=([\d.]+)"}]
    job = train(SCIKIT_LEARN, metrics=metrics, **given)
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["FinalMetricDataList"][0]["Value"] > 0.7
    assert list(artefact(cloud, data, job)) == ["model.joblib"]
    invoke = served(
        SCIKIT_LEARN, job, SAGEMAKER_PROGRAM="fit.py",
        SAGEMAKER_SUBMIT_DIRECTORY=f"s3://{data}/code.tar.gz",
    )  # fmt: skip
    high, low = json.loads(
        invoke("[[2, -2, 0], [-2, 2, 0]]", "application/json", "application/json")
    )
    assert (high > 0.9, low < 0.1) == (True, True)
    assert float(invoke("2,-2,0", "text/csv")) == pytest.approx(high, abs=1e-6)


def test_a_script_that_fails_says_why(data, train):
    job = train(SCIKIT_LEARN, **script_mode(data, **{"inverse-strength": 1, "flavour": "sour"}))
    assert job["TrainingJobStatus"] == "Failed"
    assert "ExecuteUserScriptError" in job["FailureReason"]
    assert "cannot train on sour" in job["FailureReason"]
    assert "--flavour sour --inverse-strength 1" in job["FailureReason"]


def test_a_wrong_hyperparameter_fails_the_job_with_its_name(train):
    job = train(XGBOOST, num_round="-1")
    assert job["TrainingJobStatus"] == "Failed"
    reason = "Hyperparameter num_round: '-1' must be an integer in [1, inf)"
    assert reason in job["FailureReason"]


def test_what_cannot_run_here_is_refused_by_name(train):
    with pytest.raises(ClientError, match=r"accelerated instance type ml\.p3\.2xlarge"):
        train(XGBOOST, instance="ml.p3.2xlarge", num_round="1")
    with pytest.raises(ClientError, match="can't override the metric definitions"):
        train(XGBOOST, metrics=[{"Name": "x", "Regex": "x"}], num_round="1")
    job = train(SCIKIT_LEARN.replace("-cpu-", "-gpu-"), num_round="1")
    assert job["TrainingJobStatus"] == "Failed"
    assert "it runs CPU images only" in job["FailureReason"]


def test_containers_in_turn_make_one_model(cloud, data, train, role, wait_until):
    """A script prepares the rows, XGBoost scores what it answers."""
    sagemaker, name = cloud.client("sagemaker"), cloud.name("pipeline")
    job = train(XGBOOST, objective="binary:logistic", num_round="3", nthread="1")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(SCALING)
        tar.addfile(entry, io.BytesIO(SCALING.encode()))
    cloud.client("s3").put_object(Bucket=data, Key="scale.tar.gz", Body=archive.getvalue())
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=role,
        Containers=[
            {
                "Image": SCIKIT_LEARN,
                "ModelDataUrl": f"s3://{data}/scale.tar.gz",
                "Environment": {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"},
            },
            {"Image": XGBOOST, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
        ],
    )
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(
        lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"],
        lambda status: status == "InService",
    )
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body="10,-10,5", ContentType="text/csv", Accept="application/json"
    )
    content = artefact(cloud, data, job)["xgboost-model"]
    model = xgboost.Booster(model_file=bytearray(content))
    expected = model.predict(xgboost.DMatrix(np.array([[1.0, -1.0, 0.5]], np.float32)))
    told = json.loads(answer["Body"].read())
    assert told == {"predictions": [{"score": float(expected[0])}]}
    with pytest.raises(ClientError, match=r"\(400\) from container-2.*Feature size .* 2 is not"):
        cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body="1,2", ContentType="text/csv"
        )
    sagemaker.delete_endpoint(EndpointName=name)
