"""One environment's stage: deploy what was built, train where that changed, prove it by its API."""

from __future__ import annotations

from aws_cdk import aws_codebuild as codebuild
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
from stacks.build_pipeline.build_project import BuildProject, BuildProps
from stacks.build_pipeline.deployment_access import grant_deployment, grant_release
from stacks.common.bucket import DataBucket
from stacks.config.model import EnvironmentConfig
from stacks.foundation.model_registry import ModelRegistry


class EnvironmentRelease(Construct):
    """The projects of one environment, each with the rights on that environment alone."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: BuildProps,
        config: EnvironmentConfig,
        artefacts: DataBucket,
        registry: ModelRegistry,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = config.environment
        variables = {
            Variable.ENVIRONMENT: config.environment,
            Variable.USE_CASE: config.use_case,
            Variable.ARTEFACT_BUCKET: artefacts.bucket_name,
            Variable.RELEASE_ACCOUNT: config.account or "",
            Variable.SIGNING_KEY: registry.signing_key.key_arn,
        }
        self._deploy = BuildProject(
            self, "Deploy", props=props, specification="deploy.yml", variables=variables
        )
        self._train = BuildProject(
            self, "Train", props=props, specification="train.yml", variables=variables
        )
        self._verify = BuildProject(
            self, "Verify", props=props, specification="verify.yml", variables=variables
        )
        grant_deployment(self._deploy.role, config)
        registry.grant_verify(self._deploy.role)
        grant_release(self._train.role, config, "data", "training")
        grant_release(self._verify.role, config, "inference")
        for project in (self._deploy, self._train):
            artefacts.allow_write(project.role, RELEASES_PREFIX)

    def steps(
        self, code: codepipeline.Artifact, release: codepipeline.Artifact, *, approval: bool
    ) -> list[actions.Action]:
        """Make the stage's actions, one after the other; a person's word comes first."""
        own = [self._action("Deploy", self._deploy, 2, code, release)]
        own.append(self._action("Train", self._train, 3, code))
        own.append(self._action("Verify", self._verify, 4, code))
        if not approval:
            return own
        commit = f"#{{{CHANGE_NAMESPACE}.{Variable.COMMIT}}}"
        image = f"#{{{IMAGE_NAMESPACE}.{Variable.IMAGE_URI}}}"
        asked = actions.ManualApprovalAction(
            action_name="Approve",
            run_order=1,
            additional_information=f"Release commit {commit}, image {image}?",
        )
        return [asked, *own]

    def _action(
        self, name: str, project: BuildProject, order: int, *inputs: codepipeline.Artifact
    ) -> actions.Action:
        trains = of_environment(Variable.TRAINS, self._environment)
        given = {
            Variable.COMMIT: f"#{{{CHANGE_NAMESPACE}.{Variable.COMMIT}}}",
            Variable.TRAINS: f"#{{{CHANGE_NAMESPACE}.{trains}}}",
            Variable.IMAGE_URI: f"#{{{IMAGE_NAMESPACE}.{Variable.IMAGE_URI}}}",
            Variable.EXECUTION_ID: "#{codepipeline.PipelineExecutionId}",
        }
        return actions.CodeBuildAction(
            action_name=name,
            project=project.project,
            input=inputs[0],
            extra_inputs=list(inputs[1:]),
            run_order=order,
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value) for key, value in given.items()
            },
        )
