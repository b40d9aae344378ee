"""The training jobs: one a member, or a search of jobs, and the stacker that joins them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.grants import grant_on, grant_pass, grant_sync_rule
from stacks.common.sagemaker_role import SERVICE
from stacks.common.task import SAGEMAKER_JOB_ERRORS, Task, service_resource
from stacks.training_pipeline.job_props import JobProps

_QUEUE_SECONDS = 1800
"""Time SageMaker may take to find instances before and to store artefacts after the job itself."""
_SEARCH_ROUNDS = 8
"""Rounds of jobs that a search has time for."""


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
        self.search_seconds = self.timeout_seconds * _SEARCH_ROUNDS

    def member_state(self, workflow_role: iam.Role) -> Task:
        """Train `$.member` as its request says; job and artefact are under `$.trained`."""
        self._grant(workflow_role, "training-job", "TrainingJob", "Training")
        names = ("HyperParameters", "AlgorithmSpecification", "CheckpointConfig")
        return self._training(
            "Train member",
            {
                "TrainingJobName.$": "$.member.training_job_name",
                **{f"{name}.$": f"$.member.request.{name}" for name in names},
                **self._job("$.member.request.OutputDataConfig.S3OutputPath"),
            },
            "$.trained",
        )

    def search_state(self, workflow_role: iam.Role, state_name: str, *, warm: bool) -> Task:
        """Search the hyper-parameters of `$.member`; what was found is under `$.tuned`."""
        self._grant(
            workflow_role, "hyper-parameter-tuning-job", "HyperParameterTuningJob", "Tuning"
        )
        tuning = "$.member.tuning"
        names = ("AlgorithmSpecification", "CheckpointConfig")
        definition = {
            "StaticHyperParameters.$": "$.member.request.HyperParameters",
            **{f"{name}.$": f"$.member.request.{name}" for name in names},
            **self._job("$.member.request.OutputDataConfig.S3OutputPath"),
        }
        start_from = {"WarmStartConfig.$": f"{tuning}.WarmStartConfig"} if warm else {}
        return Task(
            self,
            state_name,
            resource=service_resource("sagemaker:createHyperParameterTuningJob.sync"),
            parameters={
                "HyperParameterTuningJobName.$": f"{tuning}.HyperParameterTuningJobName",
                "HyperParameterTuningJobConfig.$": f"{tuning}.HyperParameterTuningJobConfig",
                "TrainingJobDefinition": definition,
                **start_from,
            },
            timeout_seconds=self.search_seconds,
            transient_errors=SAGEMAKER_JOB_ERRORS,
            result={
                "ResultSelector": {
                    "tuning_job_name.$": "$.HyperParameterTuningJobName",
                    "training_job_name.$": "$.BestTrainingJob.TrainingJobName",
                    "hyperparameters.$": "$.BestTrainingJob.TunedHyperParameters",
                },
                "ResultPath": "$.tuned",
            },
        )

    def stack_state(self, workflow_role: iam.Role) -> Task:
        """Join the members; the ensemble's artefact is under `$.ensemble`."""
        self._grant(workflow_role, "training-job", "TrainingJob", "Training")
        settings = self._settings
        return self._training(
            "Train stacker",
            {
                "TrainingJobName.$": "$.plan.stack_job_name",
                "HyperParameters.$": "$.plan.stack_hyperparameters",
                "AlgorithmSpecification": {
                    "TrainingImage.$": "$.plan.image_uri",
                    "TrainingInputMode": "File",
                },
                "InputDataConfig.$": "$.collected.stack_inputs",
                "ResourceConfig": {
                    "InstanceType": settings.instance_type,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": settings.volume_gb,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": settings.job_timeout_seconds},
                **self._isolated("$.plan.output_uri"),
            },
            "$.ensemble",
        )

    def _job(self, output_path: str) -> dict[str, object]:
        """Take what a member's request says of data, instances, spot and budget."""
        names = (
            "InputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
            "EnableManagedSpotTraining",
        )
        taken = {f"{name}.$": f"$.member.request.{name}" for name in names}
        return {**taken, **self._isolated(output_path)}

    def _isolated(self, output_path: str) -> dict[str, object]:
        """Say what holds for every job: its role, the key of what it writes, no network."""
        return {
            "RoleArn": self._role.role_arn,
            "OutputDataConfig": {"S3OutputPath.$": output_path, "KmsKeyId": self._key.key_arn},
            "EnableNetworkIsolation": True,
        }

    def _training(self, state_name: str, parameters: dict[str, object], result_path: str) -> Task:
        return Task(
            self,
            state_name,
            resource=service_resource("sagemaker:createTrainingJob.sync"),
            parameters=parameters,
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

    def _grant(self, workflow_role: iam.Role, resource: str, noun: str, rule: str) -> None:
        jobs = Stack.of(self).format_arn(
            service="sagemaker", resource=resource, resource_name=f"{self._prefix}*"
        )
        grant_on(
            workflow_role,
            f"sagemaker:Create{noun}",
            f"sagemaker:Describe{noun}",
            f"sagemaker:Stop{noun}",
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
        grant_sync_rule(workflow_role, f"StepFunctionsGetEventsForSageMaker{rule}JobsRule")
