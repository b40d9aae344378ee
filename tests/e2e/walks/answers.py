"""What functions and jobs answer, by their contracts and by AWS's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
MOMENT = 1700000000000
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/models@sha256:0"


def document(contract: Any, **fields: Any) -> dict[str, Any]:
    """Return what a function answers; the fields are those of its contract, none else."""
    missing = contract.__required_keys__ - fields.keys()
    unknown = fields.keys() - contract.__required_keys__ - contract.__optional_keys__
    assert not missing, f"{contract.__name__} also has {', '.join(sorted(missing))}"
    assert not unknown, f"{contract.__name__} has no {', '.join(sorted(unknown))}"
    return fields


def training_job(name: str) -> Mapping[str, Any]:
    """Describe a training job that has succeeded."""
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ARN}:training-job/{name}",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://models/{name}/output/model.tar.gz"},
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "CreationTime": MOMENT,
    }


def tuning_job(name: str, best: str) -> Mapping[str, Any]:
    """Describe a tuning job that has found something."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": f"{ARN}:hyper-parameter-tuning-job/{name}",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
        },
        "HyperParameterTuningJobStatus": "Completed",
        "CreationTime": MOMENT,
        "TrainingJobStatusCounters": {"Completed": 4},
        "ObjectiveStatusCounters": {"Succeeded": 4},
        "BestTrainingJob": {
            "TrainingJobName": best,
            "TrainingJobArn": f"{ARN}:training-job/{best}",
            "CreationTime": MOMENT,
            "TrainingJobStatus": "Completed",
            "TunedHyperParameters": {"num_leaves": "31"},
        },
    }


def processing_job(name: str) -> Mapping[str, Any]:
    """Describe a processing job that has succeeded."""
    return {
        "ProcessingJobName": name,
        "ProcessingJobArn": f"{ARN}:processing-job/{name}",
        "ProcessingJobStatus": "Completed",
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 10,
            }
        },
        "AppSpecification": {"ImageUri": IMAGE},
        "CreationTime": MOMENT,
    }


def execution(arn: str, output: Any) -> Mapping[str, Any]:
    """Describe an execution that has succeeded."""
    return {
        "ExecutionArn": arn,
        "StateMachineArn": arn.replace(":execution:", ":stateMachine:").rpartition(":")[0],
        "Name": arn.rpartition(":")[2],
        "Status": "SUCCEEDED",
        "StartDate": MOMENT,
        "StopDate": MOMENT,
        "Input": {},
        "Output": output,
    }
