"""SageMaker through the AWS CLI: the same operations, another client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.localcloud.conftest import bucket_rights, eventually


@pytest.fixture
def aws(cloud):
    def run(*arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"],
            env=cloud.client_variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stderr
        return done

    return run


def test_train_deploy_invoke_delete(cloud, aws, tmp_path):
    bucket = cloud.bucket()
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket))
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"4 6")
    channel = [
        {
            "ChannelName": "train",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/numbers"}
            },
        }
    ]
    aws(
        *("sagemaker", "create-training-job", "--training-job-name", "cli", "--role-arn", role),
        *("--algorithm-specification", f"TrainingImage={cloud.image},TrainingInputMode=File"),
        *("--input-data-config", json.dumps(channel)),
        *("--output-data-config", f"S3OutputPath=s3://{bucket}/out"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1"),
        *("--stopping-condition", "MaxRuntimeInSeconds=60"),
    )
    named = ("--training-job-name", "cli")
    aws("sagemaker", "wait", "training-job-completed-or-stopped", *named)
    job = json.loads(aws("sagemaker", "describe-training-job", *named).stdout)
    assert job["TrainingJobStatus"] == "Completed", job
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    aws(
        *("sagemaker", "create-model", "--model-name", "cli", "--execution-role-arn", role),
        *("--primary-container", f"Image={cloud.image},ModelDataUrl={uri}"),
    )
    variant = "VariantName=all,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    config = ("--endpoint-config-name", "cli")
    aws("sagemaker", "create-endpoint-config", *config, "--production-variants", variant)
    endpoint = ("--endpoint-name", "cli")
    aws("sagemaker", "create-endpoint", *endpoint, *config)
    aws("sagemaker", "wait", "endpoint-in-service", *endpoint)
    answer = tmp_path / "answer.json"
    body = tmp_path / "body.json"
    body.write_bytes(b"[1]")
    aws("sagemaker-runtime", "invoke-endpoint", *endpoint, "--body", f"fileb://{body}", str(answer))
    assert json.loads(answer.read_text())["constant"] == 5
    aws("sagemaker", "delete-endpoint", *endpoint)
    aws("sagemaker", "wait", "endpoint-deleted", *endpoint)
    refused = aws("sagemaker", "describe-endpoint", *endpoint, ok=False)
    assert "Could not find endpoint" in refused.stderr


def test_tune_and_register(cloud, aws):
    bucket = cloud.bucket()
    role = cloud.role("sagemaker.amazonaws.com", *bucket_rights(bucket))
    cloud.client("s3").put_object(Bucket=bucket, Key="numbers/a.csv", Body=b"4 6")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/numbers"}
    definition = {
        "StaticHyperParameters": {"steps": "1"},
        "AlgorithmSpecification": {
            "TrainingImage": cloud.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": r"score=([\d.]+)"}],
        },
        "RoleArn": role,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
        },
    }
    named = ("--hyper-parameter-tuning-job-name", "cli-tuning")
    aws(
        *("sagemaker", "create-hyper-parameter-tuning-job", *named),
        *("--hyper-parameter-tuning-job-config", json.dumps(config)),
        *("--training-job-definition", json.dumps(definition)),
    )
    described = ("sagemaker", "describe-hyper-parameter-tuning-job", *named)
    eventually(
        lambda: json.loads(aws(*described).stdout)["HyperParameterTuningJobStatus"],
        lambda status: status == "Completed",
    )
    trials = json.loads(
        aws("sagemaker", "list-training-jobs-for-hyper-parameter-tuning-job", *named).stdout
    )["TrainingJobSummaries"]
    assert [each["TrainingJobStatus"] for each in trials] == ["Completed", "Completed"]
    group = ("--model-package-group-name", "cli-group")
    aws("sagemaker", "create-model-package-group", *group)
    specification = {
        "Containers": [{"Image": cloud.image}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    created = aws(
        *("sagemaker", "create-model-package", *group),
        *("--inference-specification", json.dumps(specification)),
    )
    arn = json.loads(created.stdout)["ModelPackageArn"]
    named = ("--model-package-arn", arn, "--model-approval-status", "Rejected")
    aws("sagemaker", "update-model-package", *named)
    package = json.loads(
        aws("sagemaker", "describe-model-package", "--model-package-name", arn).stdout
    )
    assert package["ModelApprovalStatus"] == "Rejected"
