"""One CodeBuild project a stage; what it does is a build specification in the repository."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays

SPECIFICATIONS = "pipeline_code/build_pipeline"


class BuildProject(Construct):
    """Runs `pipeline_code/build_pipeline/<specification>` for one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        specification: str,
        environment: str,
        key: kms.IKey,
        timeout_minutes: int,
        log_days: LogRetentionDays,
        privileged: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = RetainedLogGroup(self, "Logs", days=log_days)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com")
        )
        self.project = codebuild.PipelineProject(
            self,
            "Project",
            role=self.role,
            build_spec=codebuild.BuildSpec.from_source_filename(
                f"{SPECIFICATIONS}/{specification}"
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.MEDIUM,
                privileged=privileged,
            ),
            environment_variables={
                "FOURBLOCKS_ENVIRONMENT": codebuild.BuildEnvironmentVariable(value=environment)
            },
            encryption_key=key,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
            grant_report_group_permissions=False,
            timeout=Duration.minutes(timeout_minutes),
        )
