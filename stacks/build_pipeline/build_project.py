"""One CodeBuild project an action; what it does is a build specification in the repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.common.findings import acknowledge, wildcard_finding
from stacks.common.grants import grant_on
from stacks.common.logs import RetainedLogGroup
from stacks.config.model import LogRetentionDays

SPECIFICATIONS = "pipeline_code/build_pipeline"


@dataclass(frozen=True, kw_only=True)
class BuildProps:
    """What all projects of a pipeline share."""

    key: kms.IKey
    timeout_minutes: int
    log_days: LogRetentionDays


class BuildProject(Construct):
    """Runs `pipeline_code/build_pipeline/<specification>`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: BuildProps,
        specification: str,
        variables: Mapping[str, str],
        privileged: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = RetainedLogGroup(self, "Logs", days=props.log_days)
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
                name: codebuild.BuildEnvironmentVariable(value=value)
                for name, value in variables.items()
            },
            encryption_key=props.key,
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
            grant_report_group_permissions=False,
            timeout=Duration.minutes(props.timeout_minutes),
        )
        self._acknowledge_logs()

    def allow_reports(self) -> None:
        """Let its builds leave reports of tests and coverage, in groups that bear its name."""
        groups = Stack.of(self).format_arn(
            service="codebuild",
            resource="report-group",
            resource_name=f"{self.project.project_name}-*",
        )
        grant_on(
            self.role,
            "codebuild:CreateReportGroup",
            "codebuild:CreateReport",
            "codebuild:UpdateReport",
            "codebuild:BatchPutTestCases",
            "codebuild:BatchPutCodeCoverages",
            resources=[groups],
            wildcard_reason="CodeBuild makes one report group a report of the specification.",
        )

    def _acknowledge_logs(self) -> None:
        """Accept that a project may write every stream of the log group that bears its name."""
        stack = Stack.of(self)
        group = f"log-group:/aws/codebuild/{self.project.project_name}:*"
        arn = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:{group}"
        finding = wildcard_finding(self, arn)
        if finding is not None:
            acknowledge(self, {finding: "Each build has a log stream of its own."})
