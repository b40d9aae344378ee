"""The Spark job on EMR Serverless that turns a batch of raw objects into a dataset version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_emrserverless as emr
from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import TransformArguments
from stacks.common.grants import grant_on, grant_pass, grant_sync_rule
from stacks.common.logs import RetainedLogGroup
from stacks.common.table import DataTable
from stacks.common.task import Task, service_resource
from stacks.config.model import DataPipelineSettings, Deployed, LogRetentionDays
from stacks.data_pipeline.emr_image import PYTHON, EmrImage
from stacks.data_pipeline.feature_groups import FeatureGroups
from stacks.data_pipeline.transform_code import TransformCode
from stacks.foundation.buckets import Buckets

SERVICE = "emr-serverless.amazonaws.com"
ENGINE = "emr_serverless"
_QUEUE_SECONDS = 600

TRANSIENT_ERRORS = (
    "EMRServerless.ServiceQuotaExceededException",
    "EMRServerless.ThrottlingException",
    "EMRServerless.InternalServerException",
)
"""Any of them may come after the run was there: its client token makes a second start the first."""


@dataclass(frozen=True)
class _Worker:
    """One worker: what it asks of EMR Serverless, and what of that Spark gets for its heap."""

    vcpus: int
    memory_gb: int
    heap_gb: int


WORKERS: Mapping[str, _Worker] = {
    "G.1X": _Worker(4, 16, 14),
    "G.2X": _Worker(8, 32, 28),
    "G.4X": _Worker(16, 64, 56),
}
"""The sizes of Glue's workers, so that one setting means the same on both engines."""


class EmrTransformJob(Construct):
    """An application that starts with a run and stops when idle; its jobs run as `role`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployed: Deployed,
        buckets: Buckets,
        lookup: DataTable,
        features: FeatureGroups,
        settings: DataPipelineSettings,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.timeout_seconds = settings.job_timeout_seconds + _QUEUE_SECONDS
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal(SERVICE))
        self._code = TransformCode(
            self,
            deployed=deployed,
            engine=ENGINE,
            buckets=buckets,
            lookup=lookup,
            features=features,
        )
        self.code_version = self._code.version
        self._code.grant_to(self.role)
        self._logs = RetainedLogGroup(self, "Logs", days=log_days)
        self._grant_logs()
        self._application = self._make_application()

    @property
    def outputs(self) -> Mapping[str, str]:
        """Give what an operator finds the job by, as outputs of the stack."""
        return {
            "TransformApplicationId": self._application.ref,
            "TransformLogGroupName": self._logs.log_group_name,
        }

    def _grant_logs(self) -> None:
        self._logs.grant_write(self.role)
        grant_on(self.role, "logs:DescribeLogStreams", resources=[f"{self._logs.log_group_arn}"])
        grant_on(
            self.role,
            "logs:DescribeLogGroups",
            resources=["*"],
            wildcard_reason="EMR Serverless looks for the group by logs:DescribeLogGroups on all.",
        )

    def _make_application(self) -> emr.CfnApplication:
        worker = WORKERS[self._settings.worker_type]
        workers = self._settings.workers * self._settings.concurrent_runs
        capacity = emr.CfnApplication.MaximumAllowedResourcesProperty(
            cpu=f"{worker.vcpus * workers} vCPU", memory=f"{worker.memory_gb * workers} GB"
        )
        image = emr.CfnApplication.ImageConfigurationInputProperty(
            image_uri=EmrImage(self, "Image").uri
        )
        return emr.CfnApplication(
            self,
            "Application",
            release_label=self._settings.emr_release,
            type="SPARK",
            architecture="X86_64",
            image_configuration=image,
            maximum_capacity=capacity,
            auto_start_configuration=emr.CfnApplication.AutoStartConfigurationProperty(
                enabled=True
            ),
            auto_stop_configuration=emr.CfnApplication.AutoStopConfigurationProperty(
                enabled=True, idle_timeout_minutes=self._settings.emr_idle_minutes
            ),
        )

    def step(self, workflow_role: iam.Role) -> Task:
        """Run the job on the batch under `$.batch` and wait for its end."""
        self._grant_step(workflow_role)
        return Task(
            self,
            "Transform batch",
            resource=service_resource("emr-serverless:startJobRun.sync"),
            parameters={
                "ApplicationId": self._application.ref,
                "ExecutionRoleArn": self.role.role_arn,
                "Name.$": "$.batch.run_id",
                # A start that is repeated finds the run of the first.
                "ClientToken.$": "$.batch.run_id",
                "ExecutionTimeoutMinutes": self._settings.job_timeout_seconds // 60,
                "JobDriver": {"SparkSubmit": self._submission()},
                "ConfigurationOverrides": {
                    "MonitoringConfiguration": {
                        "CloudWatchLoggingConfiguration": {
                            "Enabled": True,
                            "LogGroupName": self._logs.log_group_name,
                        }
                    }
                },
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=TRANSIENT_ERRORS,
            result={"ResultSelector": {"job_run_id.$": "$.JobRunId"}, "ResultPath": "$.transform"},
        )

    def _submission(self) -> dict[str, object]:
        constants = [f"'{text}'" for pair in self._code.arguments().items() for text in pair]
        given = [
            *(f"'--{TransformArguments.RUN_ID}'", "$.batch.run_id"),
            *(f"'--{TransformArguments.BATCH_URI}'", "$.batch.batch_uri"),
        ]
        return {
            "EntryPoint": self._code.script.s3_object_url,
            "EntryPointArguments.$": f"States.Array({', '.join([*constants, *given])})",
            "SparkSubmitParameters": self._submit_parameters(),
        }

    def _submit_parameters(self) -> str:
        worker = WORKERS[self._settings.worker_type]
        settings = {
            "spark.driver.cores": worker.vcpus,
            "spark.driver.memory": f"{worker.heap_gb}g",
            "spark.executor.cores": worker.vcpus,
            "spark.executor.memory": f"{worker.heap_gb}g",
            "spark.dynamicAllocation.maxExecutors": self._settings.workers - 1,
            "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": PYTHON,
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": PYTHON,
            "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
        }
        options = [f"--conf {name}={value}" for name, value in settings.items()]
        return " ".join([f"--py-files {self._code.packages.s3_object_url}", *options])

    def _grant_step(self, workflow_role: iam.Role) -> None:
        runs = f"{self._application.attr_arn}/jobruns/*"
        grant_on(
            workflow_role, "emr-serverless:StartJobRun", resources=[self._application.attr_arn]
        )
        grant_on(
            workflow_role,
            "emr-serverless:GetJobRun",
            "emr-serverless:CancelJobRun",
            resources=[runs],
            wildcard_reason="The runs of one application, each named when it starts.",
        )
        grant_pass(workflow_role, self.role, service=SERVICE)
        grant_sync_rule(workflow_role, "StepFunctionsGetEventsForEMRServerlessJobRule")
