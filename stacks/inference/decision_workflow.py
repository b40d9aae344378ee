"""Decides what is too large for the API: a processing job, whose answer is kept like any other."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.inference.contract import (
    DECISION_DOCUMENTS_PREFIX,
    DECISION_JOBS_PREFIX,
    DECISION_REQUESTS_PREFIX,
    DECISION_ROWS_PREFIX,
    Setting,
)
from pipeline_code.inference.contract import (
    DECISION_ENTRYPOINT,
    DECISION_INPUT,
    DECISION_NAME,
    DECISION_OUTPUT,
)
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_on, grant_pass, grant_sync_rule
from stacks.common.image import ModelImage
from stacks.common.sagemaker_role import SERVICE, SageMakerRole
from stacks.common.task import (
    SAGEMAKER_JOB_ERRORS,
    Task,
    failure,
    function_task,
    service_resource,
)
from stacks.common.workflow import Workflow, WorkflowRole
from stacks.config.model import EnvironmentConfig
from stacks.foundation.step_props import StepProps

_QUEUE_SECONDS = 1800
_VOLUME_GB = 5


class DecisionRecordStep(BlockFunction):
    """Keeps what the job decided."""

    def __init__(self, scope: Construct, construct_id: str, *, props: StepProps) -> None:
        analytics = props.buckets.analytics
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="record_decision",
            settings={
                Setting.DECISION_TABLE: props.tables.decisions.table_name,
                Setting.ANALYTICS_BUCKET: analytics.bucket_name,
            },
            log_days=props.log_days,
            timeout_seconds=120,
            memory_mb=1024,
        )
        grant_items(props.tables.decisions, self.role, "GetItem", "PutItem")
        for prefix in (DECISION_DOCUMENTS_PREFIX, DECISION_JOBS_PREFIX):
            analytics.allow_read(self.role, prefix)
        for prefix in (DECISION_DOCUMENTS_PREFIX, DECISION_ROWS_PREFIX):
            analytics.allow_write(self.role, prefix)

    def state(self, workflow_role: iam.Role, answer_uri: str) -> Task:
        """Leave where the decision is found under `$.decision`."""
        return function_task(
            self,
            "Record decision",
            function=self,
            workflow_role=workflow_role,
            payload={"answer_uri.$": answer_uri},
            result_path="$.decision",
        )


class DecisionWorkflow(Construct):
    """One execution a request, which lies in the analytics bucket: `{"request_uri": "s3://…"}`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: EnvironmentConfig, props: StepProps
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._bucket = props.buckets.analytics
        self._image = ModelImage(self, "Image", digest_uri=config.image)
        self._job_role = SageMakerRole(
            self, "JobRole", image=self._image, log_groups=("/aws/sagemaker/ProcessingJobs",)
        )
        self._bucket.allow_read(self._job_role, DECISION_REQUESTS_PREFIX)
        self._bucket.allow_write(self._job_role, DECISION_JOBS_PREFIX)
        role = WorkflowRole(self, "Role")
        failed = failure(self, "Decision failed")
        folder = self._bucket.s3_url_for_object(f"{DECISION_JOBS_PREFIX}{{}}")
        self._output = f"States.Format('{folder}', $$.Execution.Name)"
        answer = f"States.Format('{folder}/{DECISION_NAME}', $$.Execution.Name)"
        record = DecisionRecordStep(self, "Record", props=props).state(role, answer)
        solve = self._solve(role).caught_by(failed)
        solve.next(record.caught_by(failed)).next(sfn.Succeed(self, "Decided"))
        self.machine = Workflow(
            self,
            "Workflow",
            start=solve,
            role=role,
            timeout_seconds=config.inference.decision_timeout_seconds + 2 * _QUEUE_SECONDS,
            log_days=config.log_days,
        ).machine

    def _solve(self, role: WorkflowRole) -> Task:
        self._grant(role)
        seconds = self._config.inference.decision_timeout_seconds
        prefix = f"{self._config.resource_prefix}-decide"
        return Task(
            self,
            "Solve",
            resource=service_resource("sagemaker:createProcessingJob.sync"),
            parameters={
                "ProcessingJobName.$": f"States.Format('{prefix}-{{}}', $$.Execution.Name)",
                "RoleArn": self._job_role.role_arn,
                "AppSpecification": {
                    "ImageUri": self._image.uri,
                    "ContainerEntrypoint": [*DECISION_ENTRYPOINT, self._config.use_case],
                },
                "ProcessingInputs": [_input()],
                "ProcessingOutputConfig": {
                    "KmsKeyId": self._bucket.key.key_arn,
                    "Outputs": [self._written()],
                },
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceCount": 1,
                        "InstanceType": self._config.inference.decision_instance_type,
                        "VolumeSizeInGB": _VOLUME_GB,
                    }
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
                "NetworkConfig": {"EnableNetworkIsolation": True},
            },
            timeout_seconds=seconds + _QUEUE_SECONDS,
            transient_errors=SAGEMAKER_JOB_ERRORS,
            result={"ResultPath": None},
        )

    def _written(self) -> dict[str, object]:
        return {
            "OutputName": DECISION_OUTPUT,
            "S3Output": {
                "S3Uri.$": self._output,
                "LocalPath": f"/opt/ml/processing/output/{DECISION_OUTPUT}",
                "S3UploadMode": "EndOfJob",
            },
        }

    def _grant(self, role: WorkflowRole) -> None:
        jobs = Stack.of(self).format_arn(
            service="sagemaker",
            resource="processing-job",
            resource_name=f"{self._config.resource_prefix}-decide-*",
        )
        grant_on(
            role,
            "sagemaker:CreateProcessingJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:StopProcessingJob",
            "sagemaker:AddTags",
            resources=[jobs],
            wildcard_reason="A job is named after its execution; the prefix is this workflow's.",
        )
        grant_on(
            role,
            "sagemaker:ListTags",
            resources=["*"],
            wildcard_reason="Step Functions lists the tags of a job before it knows its ARN.",
        )
        grant_pass(role, self._job_role, service=SERVICE)
        grant_sync_rule(role, "StepFunctionsGetEventsForSageMakerProcessingJobsRule")


def _input() -> dict[str, object]:
    return {
        "InputName": DECISION_INPUT,
        "S3Input": {
            "S3Uri.$": "$.request_uri",
            "LocalPath": f"/opt/ml/processing/input/{DECISION_INPUT}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }
