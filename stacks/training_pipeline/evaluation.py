"""The evaluation: a processing job that holds challenger against champion on held-out data."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.training_pipeline.contract import EVALUATION_ENTRYPOINT, EVALUATION_OUTPUT
from stacks.common.grants import grant_on, grant_pass, grant_sync_rule
from stacks.common.sagemaker_role import SERVICE
from stacks.common.task import SAGEMAKER_JOB_ERRORS, Task, service_resource
from stacks.training_pipeline.job_props import JobProps

_QUEUE_SECONDS = 1800


class EvaluationStep(Construct):
    """Runs the evaluation in the image that trained the model."""

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

    def state(self, workflow_role: iam.Role) -> Task:
        """Write `evaluation.json` under the plan's output, and wait for it."""
        self._grant(workflow_role)
        return Task(
            self,
            "Evaluate challenger",
            resource=service_resource("sagemaker:createProcessingJob.sync"),
            parameters={
                "ProcessingJobName.$": "$.plan.evaluation_job_name",
                "RoleArn": self._role.role_arn,
                "AppSpecification": {
                    "ImageUri.$": "$.plan.image_uri",
                    "ContainerEntrypoint": EVALUATION_ENTRYPOINT,
                },
                "ProcessingInputs.$": "$.plan.evaluation_inputs",
                "ProcessingOutputConfig": self._output(),
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceCount": 1,
                        "InstanceType": self._settings.evaluation_instance_type,
                        "VolumeSizeInGB": self._settings.volume_gb,
                    }
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": self._settings.job_timeout_seconds},
                "NetworkConfig": {"EnableNetworkIsolation": True},
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=SAGEMAKER_JOB_ERRORS,
            result={
                "ResultSelector": {"processing_job_name.$": "$.ProcessingJobName"},
                "ResultPath": "$.evaluation",
            },
        )

    def _output(self) -> dict[str, object]:
        report = {
            "OutputName": EVALUATION_OUTPUT,
            "S3Output": {
                "S3Uri.$": "$.plan.evaluation_output_uri",
                "LocalPath": f"/opt/ml/processing/output/{EVALUATION_OUTPUT}",
                "S3UploadMode": "EndOfJob",
            },
        }
        return {"KmsKeyId": self._key.key_arn, "Outputs": [report]}

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
