"""The Spark job on AWS Glue that turns a batch of raw objects into a dataset version."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import TransformArguments
from stacks.common.grants import grant_on
from stacks.common.table import DataTable
from stacks.common.task import Task, service_resource
from stacks.config.model import DataPipelineSettings, Deployed
from stacks.data_pipeline.feature_groups import FeatureGroups
from stacks.data_pipeline.job_security import JobSecurity
from stacks.data_pipeline.transform_code import TransformCode
from stacks.foundation.buckets import Buckets

ENGINE = "glue"
_QUEUE_SECONDS = 600
PYTHON_MODULES = "boto3==1.43.106"
"""Glue's own boto3 is older than BatchWriteRecord."""

TRANSIENT_ERRORS = (
    "Glue.ConcurrentRunsExceededException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
)
"""Glue refused a run before it was there; after any other error it may write already."""


class TransformJob(Construct):
    """A Glue job; `code_version` is the digest of all the code that it can import."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployed: Deployed,
        security: JobSecurity,
        buckets: Buckets,
        lookup: DataTable,
        features: FeatureGroups,
        settings: DataPipelineSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.timeout_seconds = settings.job_timeout_seconds + _QUEUE_SECONDS
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        code = TransformCode(
            self,
            deployed=deployed,
            engine=ENGINE,
            buckets=buckets,
            lookup=lookup,
            features=features,
        )
        self.code_version = code.version
        code.grant_to(self.role)
        security.grant_to(self.role)
        self.job = self._job(code, security)

    @property
    def outputs(self) -> Mapping[str, str]:
        """Give what an operator finds the job by, as outputs of the stack."""
        return {"TransformJobName": self.job.ref}

    def _job(self, code: TransformCode, security: JobSecurity) -> glue.CfnJob:
        return glue.CfnJob(
            self,
            "Job",
            description="Validates a batch, builds features, writes a dataset version",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=code.script.s3_object_url
            ),
            glue_version=self._settings.glue_version,
            worker_type=self._settings.worker_type,
            number_of_workers=self._settings.workers,
            timeout=self._settings.job_timeout_seconds // 60,
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(
                max_concurrent_runs=self._settings.concurrent_runs
            ),
            security_configuration=security.name,
            default_arguments={
                "--extra-py-files": code.packages.s3_object_url,
                "--additional-python-modules": PYTHON_MODULES,
                "--job-language": "python",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
                "--job-bookmark-option": "job-bookmark-disable",
                **code.arguments(),
            },
        )

    def step(self, workflow_role: iam.Role) -> Task:
        """Run the job on the batch under `$.batch` and wait for its end."""
        grant_on(
            workflow_role,
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:GetJobRuns",
            "glue:BatchStopJobRun",
            resources=[
                Stack.of(self).format_arn(
                    service="glue", resource="job", resource_name=self.job.ref
                )
            ],
        )
        return Task(
            self,
            "Transform batch",
            resource=service_resource("glue:startJobRun.sync"),
            parameters={
                "JobName": self.job.ref,
                "Arguments": {
                    f"--{TransformArguments.RUN_ID}.$": "$.batch.run_id",
                    f"--{TransformArguments.BATCH_URI}.$": "$.batch.batch_uri",
                },
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=TRANSIENT_ERRORS,
            result={"ResultSelector": {"job_run_id.$": "$.Id"}, "ResultPath": "$.transform"},
        )
