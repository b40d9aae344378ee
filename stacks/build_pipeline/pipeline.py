"""The pipeline: source, build, its own update, test, image, and one stage an environment."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from constructs import Construct

from pipeline_code.build_pipeline.contract import (
    CHANGE_NAMESPACE,
    IMAGE_NAMESPACE,
    RELEASES_PREFIX,
    Variable,
    of_environment,
)
from stacks.build_pipeline.archive_trigger import ArchiveTrigger
from stacks.build_pipeline.artefact_findings import acknowledge_artefact_access
from stacks.build_pipeline.build_project import BuildProject, BuildProps
from stacks.build_pipeline.conditions import skipped_unless
from stacks.build_pipeline.deployment_access import grant_deployment
from stacks.build_pipeline.image_projects import ImageProject
from stacks.build_pipeline.release import EnvironmentRelease
from stacks.build_pipeline.source import push_triggers, source_action
from stacks.build_pipeline.stores import PipelineStores
from stacks.config.environments import promoted_from
from stacks.config.model import ArchiveSource, BuildSettings, EnvironmentConfig


class ReleasePipeline(Construct):
    """Every change passes the stages that are for it, each environment after the one before."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        settings: BuildSettings,
        stores: PipelineStores,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._settings = settings
        self._stores = stores
        self._props = BuildProps(
            key=stores.artefacts.key,
            timeout_minutes=settings.build_timeout_minutes,
            log_days=config.log_days,
        )
        self._code = codepipeline.Artifact("Code")
        self._assembly = codepipeline.Artifact("Assembly")
        self._release = codepipeline.Artifact("Release")
        source = source_action(
            self, source=settings.source, artefacts=stores.artefacts, output=self._code
        )
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode[settings.execution_mode.upper()],
            artifact_bucket=stores.artefacts,
            restart_execution_on_update=True,
            triggers=push_triggers(settings.source, source) or None,
        )
        self.pipeline.add_stage(stage_name="Source", actions=[source])
        self._add_build()
        self._add_update()
        self._add_test()
        self._add_image()
        self._add_releases()
        acknowledge_artefact_access(self, artefacts=stores.artefacts)
        if isinstance(settings.source, ArchiveSource):
            ArchiveTrigger(
                self,
                "ArchiveTrigger",
                artefacts=stores.artefacts,
                source=settings.source,
                pipeline=self.pipeline,
            )

    @property
    def _environments(self) -> list[str]:
        further = [each.environment for each in promoted_from(self._config)]
        return [self._config.environment, *further]

    def _add_build(self) -> None:
        variables = {
            Variable.ENVIRONMENT: self._config.environment,
            Variable.ENVIRONMENTS: " ".join(self._environments),
            Variable.ARTEFACT_BUCKET: self._stores.artefacts.bucket_name,
        }
        build = self._project("Build", "build.yml", variables)
        self._stores.artefacts.allow_read(build.role, RELEASES_PREFIX)
        action = actions.CodeBuildAction(
            action_name="Build",
            project=build.project,
            input=self._code,
            outputs=[self._assembly],
            variables_namespace=CHANGE_NAMESPACE,
        )
        self.pipeline.add_stage(stage_name="Build", actions=[action])

    def _add_update(self) -> None:
        """Let the pipeline become what the commit says it is, before it does anything else."""
        variables = {
            Variable.ENVIRONMENT: self._config.environment,
            Variable.ARTEFACT_BUCKET: self._stores.artefacts.bucket_name,
        }
        update = self._project("Update", "update.yml", variables)
        grant_deployment(update.role, self._config)
        self._stores.artefacts.allow_write(update.role, RELEASES_PREFIX)
        self.pipeline.add_stage(
            stage_name="UpdatePipeline",
            actions=[self._action("Update", update, self._assembly)],
            before_entry=skipped_unless(Variable.UPDATES_PIPELINE),
        )

    def _add_test(self) -> None:
        suites = {Variable.SUITES: " ".join(self._settings.suites)}
        test = self._project("Test", "test.yml", suites)
        test.allow_reports()
        self.pipeline.add_stage(stage_name="Test", actions=[self._action("Test", test)])

    def _add_image(self) -> None:
        image = ImageProject(
            self,
            "Image",
            props=self._props,
            environments=self._environments,
            artefacts=self._stores.artefacts,
            images=self._stores.images,
            registry=self._stores.registry,
            scan=self._settings.scan_image,
        )
        action = actions.CodeBuildAction(
            action_name="Image",
            project=image.project,
            input=self._code,
            extra_inputs=[self._assembly],
            outputs=[self._release],
            variables_namespace=IMAGE_NAMESPACE,
        )
        self.pipeline.add_stage(
            stage_name="Image",
            actions=[action],
            before_entry=skipped_unless(Variable.DEPLOYS),
        )

    def _add_releases(self) -> None:
        approvals = {each.environment: each.approval for each in self._settings.promotions}
        for config in (self._config, *promoted_from(self._config)):
            name = config.environment.capitalize()
            release = EnvironmentRelease(
                self,
                name,
                props=self._props,
                config=config,
                artefacts=self._stores.artefacts,
                registry=self._stores.registry,
            )
            approval = approvals.get(config.environment, False)
            self.pipeline.add_stage(
                stage_name=name,
                actions=release.steps(self._code, self._release, approval=approval),
                before_entry=skipped_unless(of_environment(Variable.DEPLOYS, config.environment)),
                on_failure=codepipeline.FailureConditions(result=codepipeline.Result.ROLLBACK),
            )

    def _project(
        self, construct_id: str, specification: str, variables: dict[str, str]
    ) -> BuildProject:
        return BuildProject(
            self,
            construct_id,
            props=self._props,
            specification=specification,
            variables=variables,
        )

    def _action(
        self, name: str, project: BuildProject, *extra: codepipeline.Artifact
    ) -> actions.Action:
        return actions.CodeBuildAction(
            action_name=name, project=project.project, input=self._code, extra_inputs=list(extra)
        )
