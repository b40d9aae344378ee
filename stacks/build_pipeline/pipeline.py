"""The pipeline: source, build, test, image, deploy."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.build_pipeline.archive_trigger import ArchiveTrigger
from stacks.build_pipeline.artefact_findings import (
    acknowledge_artefact_access,
    acknowledge_build_logs,
)
from stacks.build_pipeline.build_project import BuildProject
from stacks.build_pipeline.deployment_access import grant_deployment, grant_image_publishing
from stacks.build_pipeline.source import source_action
from stacks.common.bucket import DataBucket
from stacks.config.model import ArchiveSource, BuildSettings, LogRetentionDays


class ReleasePipeline(Construct):
    """Every change passes all stages, one after the other; a newer change waits for its turn."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        artefacts: DataBucket,
        key: kms.IKey,
        settings: BuildSettings,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._key = key
        self._settings = settings
        self._log_days = log_days
        self._code = codepipeline.Artifact("Code")
        self._assembly = codepipeline.Artifact("Assembly")
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            artifact_bucket=artefacts,
        )
        source = source_action(self, source=settings.source, artefacts=artefacts, output=self._code)
        self.pipeline.add_stage(stage_name="Source", actions=[source])
        self._add_stages()
        acknowledge_artefact_access(self, artefacts=artefacts)
        if isinstance(settings.source, ArchiveSource):
            ArchiveTrigger(
                self,
                "ArchiveTrigger",
                artefacts=artefacts,
                source=settings.source,
                pipeline=self.pipeline,
            )

    def _add_stages(self) -> None:
        build = self._project("Build", "build.yml")
        test = self._project("Test", "test.yml")
        image = self._project("Image", "image.yml", privileged=True)
        deploy = self._project("Deploy", "deploy.yml")
        grant_image_publishing(image.role)
        grant_deployment(deploy.role)
        self._stage("Build", self._action("Build", build, self._code, outputs=[self._assembly]))
        self._stage("Test", self._action("Test", test, self._code))
        self._stage("Image", self._action("Image", image, self._assembly))
        self._stage("Deploy", *self._approval(), self._action("Deploy", deploy, self._assembly))

    def _project(
        self, construct_id: str, specification: str, *, privileged: bool = False
    ) -> BuildProject:
        project = BuildProject(
            self,
            construct_id,
            specification=specification,
            environment=self._environment,
            key=self._key,
            timeout_minutes=self._settings.build_timeout_minutes,
            log_days=self._log_days,
            privileged=privileged,
        )
        acknowledge_build_logs(project)
        return project

    def _stage(self, name: str, *stage_actions: actions.Action) -> None:
        self.pipeline.add_stage(stage_name=name, actions=list(stage_actions))

    def _action(
        self,
        name: str,
        project: BuildProject,
        code: codepipeline.Artifact,
        *,
        outputs: list[codepipeline.Artifact] | None = None,
    ) -> actions.Action:
        return actions.CodeBuildAction(
            action_name=name,
            project=project.project,
            input=code,
            outputs=outputs,
            run_order=2,
        )

    def _approval(self) -> list[actions.Action]:
        if not self._settings.approve_before_deploy:
            return []
        return [actions.ManualApprovalAction(action_name="Approve", run_order=1)]
