"""Walks through the training workflow."""

from __future__ import annotations

from typing import Any

from lambdas.training_pipeline.contract import (
    ApprovalDecision,
    CollectMembersResponse,
    EndTrainingResponse,
    JudgeModelResponse,
    MemberPlan,
    PlanTrainingResponse,
    RecordApprovalResponse,
    RegisterModelResponse,
    ReleaseTrainingResponse,
    TrainingRequest,
    TuningRequest,
)
from tests.e2e.walking import Walk, Walks
from tests.e2e.walks.answers import (
    IMAGE,
    document,
    execution,
    processing_job,
    training_job,
    tuning_job,
)

OUTPUT = "s3://models/trainings/t-1/e-1"
REQUEST = document(
    TrainingRequest,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={"task": "member", "member": "weather"},
    InputDataConfig=[
        {
            "ChannelName": "dataset",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://input/datasets/d-1/"}
            },
        }
    ],
    OutputDataConfig={"S3OutputPath": OUTPUT},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    StoppingCondition={"MaxRuntimeInSeconds": 3600},
    EnableManagedSpotTraining=False,
    CheckpointConfig={"S3Uri": "s3://models/checkpoints/t-1"},
)


def member(name: str, action: str, **fields: Any) -> dict[str, Any]:
    return document(
        MemberPlan,
        **{
            "name": name,
            "mode": "own_container",
            "action": action,
            "training_job_name": f"fb-{name}",
            "artefact_uri": f"{OUTPUT}/fb-{name}/output/model.tar.gz",
            "cache_key": f"key-of-{name}",
            "request": REQUEST,
            "tuning": None,
            **fields,
        },
    )


TUNING = document(
    TuningRequest,
    HyperParameterTuningJobName="fb-tuning",
    HyperParameterTuningJobConfig={
        "Strategy": "Bayesian",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
    },
    WarmStartConfig={
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "fb-earlier"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    },
)
TRAINED = member("weather", "train")
EVERY_ACTION = [
    TRAINED,
    member("aircraft", "tune", artefact_uri="", tuning={**TUNING, "WarmStartConfig": None}),
    member("network", "tune_on", artefact_uri="", tuning=TUNING),
    member("schedule", "reuse", request=None),
]


def plan(status: str = "ready", **fields: Any) -> dict[str, Any]:
    return document(
        PlanTrainingResponse,
        **{
            "status": status,
            "training_id": "t-1",
            "dataset_id": "d-1",
            "dataset_uri": "s3://input/datasets/d-1/",
            "config_digest": "c-1",
            "config_uri": "s3://config/training/c-1.json",
            "prepares": False,
            "preparation_job_name": "fb-prepare",
            "preparation_inputs": [],
            "prepared_uri": f"{OUTPUT}/prepared",
            "members": [TRAINED],
            "stack_job_name": "fb-stack",
            "stack_hyperparameters": {"task": "stack"},
            "stack_artefact_uri": f"{OUTPUT}/fb-stack/output/model.tar.gz",
            "reproduces": False,
            "reproduction_job_name": "fb-reproduce",
            "reproduction_inputs": [],
            "reproduction_output_uri": "s3://models/evaluations/t-1",
            "evaluation_job_name": "fb-evaluate",
            "evaluation_inputs": [],
            "evaluation_output_uri": "s3://models/evaluations/t-1",
            "output_uri": OUTPUT,
            "image_uri": IMAGE,
            "champion_version": None,
            "registered_version": None,
            "registered_state": None,
            "detail": "1 member on dataset d-1.",
            **fields,
        },
    )


def registered(state: str) -> dict[str, Any]:
    return document(
        RegisterModelResponse,
        version=2,
        model_id="m-0",
        artefact_uri="s3://models/models/m-0/model.tar.gz",
        state=state,
        image_uri=IMAGE,
    )


def answered(decision: str) -> dict[str, Any]:
    """Return what is answered when a person decides about a candidate."""
    answer = document(ApprovalDecision, decision=decision, approver="someone", reason="good")
    return {"Register model": registered("candidate"), "Ask for approval": answer}


def recorded(given: Any) -> dict[str, Any]:
    """Return the state that a decision gives a version."""
    state = "approved" if given["approval"]["decision"] == "approved" else "rejected"
    return document(RecordApprovalResponse, version=2, model_id="m-0", state=state)


DEPLOYMENT = "arn:aws:states:us-east-1:000000000000:execution:Deployment:1"
ANSWERS = {
    "Plan training": plan(),
    "Prepare data": processing_job("fb-prepare"),
    "Train member": training_job("fb-weather"),
    "Tune member": tuning_job("fb-tuning", "fb-tuning-001"),
    "Tune member on": tuning_job("fb-tuning-on", "fb-tuning-on-001"),
    "Collect members": document(CollectMembersResponse, stack_inputs=[]),
    "Train stacker": training_job("fb-stack"),
    "Compare with original": processing_job("fb-reproduce"),
    "Evaluate challenger": processing_job("fb-evaluate"),
    "Judge model": document(
        JudgeModelResponse,
        verdict="promoted",
        reasons=["better"],
        rules=[],
        evaluation_uri="s3://models/evaluations/t-1/evaluation.json",
    ),
    "Register model": registered("approved"),
    "End training": document(EndTrainingResponse, asked_for=""),
    "Deploy model": execution(DEPLOYMENT, {"version": 2}),
    "Record approval": recorded,
    "Release training": document(
        ReleaseTrainingResponse, training_id="t-1", outcome="released", reason="failed"
    ),
}
WALKS = Walks(
    answers=ANSWERS,
    walks=(
        Walk("a promoted model is deployed", "Model deployed"),
        Walk(
            "members trained, tuned, tuned on and reused, on prepared data",
            "Model deployed",
            answers={"Plan training": plan(prepares=True, members=EVERY_ACTION)},
        ),
        Walk(
            "a rejected model leaves the champion",
            "Champion stays",
            answers={"Register model": registered("rejected")},
        ),
        Walk(
            "a person approves a candidate",
            "Model deployed",
            answers=answered("approved"),
        ),
        Walk(
            "a person rejects a candidate",
            "Champion stays",
            answers=answered("rejected"),
        ),
        Walk(
            "a version is rebuilt",
            "Version compared",
            given={"reproduce_version": 1},
            answers={"Plan training": plan(reproduces=True)},
        ),
        Walk(
            "an approved version that was never deployed",
            "Model deployed",
            answers={
                "Plan training": plan(
                    "unchanged", registered_version=1, registered_state="approved"
                )
            },
        ),
        Walk(
            "an unchanged training",
            "Nothing to train",
            answers={
                "Plan training": plan(
                    "unchanged", registered_version=1, registered_state="rejected"
                )
            },
        ),
        Walk(
            "another training runs",
            "Nothing to train",
            answers={"Plan training": plan("queued")},
        ),
    ),
    survived={("Ask for approval", "States.Timeout"): "Champion stays"},
)
