"""The training jobs: one a member, and the stacker that joins them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from pipeline_code.training_pipeline.contract import DATASET_CHANNEL
from stacks.common.grants import grant_on, grant_pass, grant_sync_rule
from stacks.common.sagemaker_role import SERVICE
from stacks.common.task import SAGEMAKER_JOB_ERRORS, Task, service_resource
from stacks.training_pipeline.job_props import JobProps

_QUEUE_SECONDS = 1800
"""Time SageMaker may take to find instances before and to store artefacts after the job itself."""


class TrainingJobs(Construct):
    """What every training job has in common, and the states that start them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: JobProps,
    ) -> None:
        super().__init__(scope, construct_id)
        self._role = props.role
        self._key = props.key
        self._prefix = props.name_prefix
        self._settings = props.settings
        self.timeout_seconds = props.settings.job_timeout_seconds + _QUEUE_SECONDS

    def members_step(self, workflow_role: iam.Role) -> sfn.Map:
        """Train all members of `$.plan.members`, side by side."""
        train = self._task(
            "Train member",
            name="$.member.training_job_name",
            hyperparameters="$.member.hyperparameters",
            inputs={"InputDataConfig": [_dataset_channel("$.dataset_uri")]},
            source="$",
            result_path="$.trained",
        )
        train.caught_by(
            sfn.Fail(
                self,
                "Member failed",
                error_path="$.failure.Error",
                cause_path="$.failure.Cause",
            )
        )
        self._grant(workflow_role)
        return sfn.Map(
            self,
            "Train members",
            items_path="$.plan.members",
            max_concurrency=self._settings.concurrent_jobs,
            item_selector={
                "member.$": "$$.Map.Item.Value",
                "image_uri.$": "$.plan.image_uri",
                "dataset_uri.$": "$.plan.dataset_uri",
                "output_uri.$": "$.plan.output_uri",
            },
            result_path="$.members",
        ).item_processor(train)

    def stack_step(self, workflow_role: iam.Role) -> Task:
        """Join the members; the ensemble's artefact is under `$.ensemble`."""
        self._grant(workflow_role)
        return self._task(
            "Train stacker",
            name="$.plan.stack_job_name",
            hyperparameters="$.plan.stack_hyperparameters",
            inputs={"InputDataConfig.$": "$.plan.stack_inputs"},
            source="$.plan",
            result_path="$.ensemble",
        )

    def _task(
        self,
        state_name: str,
        *,
        name: str,
        hyperparameters: str,
        inputs: dict[str, object],
        source: str,
        result_path: str,
    ) -> Task:
        settings = self._settings
        return Task(
            self,
            state_name,
            resource=service_resource("sagemaker:createTrainingJob.sync"),
            parameters={
                "TrainingJobName.$": name,
                "HyperParameters.$": hyperparameters,
                "RoleArn": self._role.role_arn,
                "AlgorithmSpecification": {
                    "TrainingImage.$": f"{source}.image_uri",
                    "TrainingInputMode": "File",
                },
                **inputs,
                "OutputDataConfig": {
                    "S3OutputPath.$": f"{source}.output_uri",
                    "KmsKeyId": self._key.key_arn,
                },
                "ResourceConfig": {
                    "InstanceType": settings.instance_type,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": settings.volume_gb,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": settings.job_timeout_seconds},
                "EnableNetworkIsolation": True,
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=SAGEMAKER_JOB_ERRORS,
            result={
                "ResultSelector": {
                    "training_job_name.$": "$.TrainingJobName",
                    "artefact_uri.$": "$.ModelArtifacts.S3ModelArtifacts",
                },
                "ResultPath": result_path,
            },
        )

    def _grant(self, workflow_role: iam.Role) -> None:
        jobs = Stack.of(self).format_arn(
            service="sagemaker", resource="training-job", resource_name=f"{self._prefix}*"
        )
        grant_on(
            workflow_role,
            "sagemaker:CreateTrainingJob",
            "sagemaker:DescribeTrainingJob",
            "sagemaker:StopTrainingJob",
            "sagemaker:AddTags",
            resources=[jobs],
            wildcard_reason="A job is named after its training; the prefix is this environment's.",
        )
        grant_on(
            workflow_role,
            "sagemaker:ListTags",
            resources=["*"],
            wildcard_reason="Step Functions lists the tags of a job before it knows its ARN.",
        )
        grant_pass(workflow_role, self._role, service=SERVICE)
        grant_sync_rule(workflow_role, "StepFunctionsGetEventsForSageMakerTrainingJobsRule")


def _dataset_channel(uri_path: str) -> dict[str, object]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri.$": uri_path,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {
        "ChannelName": DATASET_CHANNEL,
        "DataSource": {"S3DataSource": source},
        "InputMode": "File",
    }
