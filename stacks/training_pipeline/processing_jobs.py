"""The processing jobs: preparation, evaluation and the comparison of a reproduction."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.training_pipeline.contract import (
    EVALUATION_ENTRYPOINT,
    EVALUATION_OUTPUT,
    PREPARATION_ENTRYPOINT,
    PREPARATION_OUTPUT,
    REPRODUCTION_ENTRYPOINT,
    REPRODUCTION_OUTPUT,
)
from stacks.common.grants import grant_on, grant_pass, grant_sync_rule
from stacks.common.sagemaker_role import SERVICE
from stacks.common.task import SAGEMAKER_JOB_ERRORS, Task, service_resource
from stacks.training_pipeline.job_props import JobProps

_QUEUE_SECONDS = 1800


class ProcessingJobs(Construct):
    """Jobs in the image that trained the model; each writes one folder."""

    def __init__(self, scope: Construct, construct_id: str, *, props: JobProps) -> None:
        super().__init__(scope, construct_id)
        self._role = props.role
        self._key = props.key
        self._prefix = props.name_prefix
        self._settings = props.settings
        self.timeout_seconds = props.settings.job_timeout_seconds + _QUEUE_SECONDS

    def preparation_state(self, workflow_role: iam.Role) -> Task:
        """Write the CSV files of members that somebody else's container trains."""
        return self._state(
            workflow_role,
            "Prepare data",
            part="preparation",
            entrypoint=PREPARATION_ENTRYPOINT,
            output=PREPARATION_OUTPUT,
            output_uri="$.plan.prepared_uri",
        )

    def evaluation_state(self, workflow_role: iam.Role) -> Task:
        """Hold challenger against champion on held-out data."""
        return self._state(
            workflow_role,
            "Evaluate challenger",
            part="evaluation",
            entrypoint=EVALUATION_ENTRYPOINT,
            output=EVALUATION_OUTPUT,
            output_uri="$.plan.evaluation_output_uri",
        )

    def reproduction_state(self, workflow_role: iam.Role) -> Task:
        """Hold a rebuilt model against the registered one."""
        return self._state(
            workflow_role,
            "Compare with original",
            part="reproduction",
            entrypoint=REPRODUCTION_ENTRYPOINT,
            output=REPRODUCTION_OUTPUT,
            output_uri="$.plan.reproduction_output_uri",
        )

    def _state(
        self,
        workflow_role: iam.Role,
        state_name: str,
        *,
        part: str,
        entrypoint: Sequence[str],
        output: str,
        output_uri: str,
    ) -> Task:
        self._grant(workflow_role)
        seconds = self._settings.job_timeout_seconds
        return Task(
            self,
            state_name,
            resource=service_resource("sagemaker:createProcessingJob.sync"),
            parameters={
                "ProcessingJobName.$": f"$.plan.{part}_job_name",
                "RoleArn": self._role.role_arn,
                "AppSpecification": {
                    "ImageUri.$": "$.plan.image_uri",
                    "ContainerEntrypoint": list(entrypoint),
                },
                "ProcessingInputs.$": f"$.plan.{part}_inputs",
                "ProcessingOutputConfig": self._output(output, output_uri),
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceCount": 1,
                        "InstanceType": self._settings.evaluation_instance_type,
                        "VolumeSizeInGB": self._settings.volume_gb,
                    }
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
                "NetworkConfig": {"EnableNetworkIsolation": True},
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=SAGEMAKER_JOB_ERRORS,
            result={
                "ResultSelector": {"processing_job_name.$": "$.ProcessingJobName"},
                "ResultPath": f"$.{part}",
            },
        )

    def _output(self, name: str, uri: str) -> dict[str, object]:
        written = {
            "OutputName": name,
            "S3Output": {
                "S3Uri.$": uri,
                "LocalPath": f"/opt/ml/processing/output/{name}",
                "S3UploadMode": "EndOfJob",
            },
        }
        return {"KmsKeyId": self._key.key_arn, "Outputs": [written]}

    def _grant(self, workflow_role: iam.Role) -> None:
        jobs = Stack.of(self).format_arn(
            service="sagemaker", resource="processing-job", resource_name=f"{self._prefix}*"
        )
        grant_on(
            workflow_role,
            "sagemaker:CreateProcessingJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:StopProcessingJob",
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
        grant_sync_rule(workflow_role, "StepFunctionsGetEventsForSageMakerProcessingJobsRule")
