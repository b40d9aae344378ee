"""Training pipeline: a dataset version becomes a judged and registered model.

A published dataset starts the workflow: one SageMaker training job a member of the ensemble, one
that stacks them, a processing job that holds the result against the champion on held-out data, the
verdict, the signed registration with all its evidence, a person's approval where the verdict or the
environment asks for one, and the deployment of what was approved. The same
dataset, configuration and image are trained once.
"""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.api_document import api_document
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.grants import grant_items
from stacks.common.image import ModelImage
from stacks.common.outputs import publish
from stacks.common.release_role import ReleaseRole
from stacks.common.signed_api import STAGE
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.people import People
from stacks.foundation.tables import Tables
from stacks.training_pipeline.algorithm_images import AlgorithmImages
from stacks.training_pipeline.approval_api import ApprovalApi
from stacks.training_pipeline.config_store import ConfigStore
from stacks.training_pipeline.dataset_trigger import DatasetTrigger
from stacks.training_pipeline.ensemble_config import EnsembleConfig
from stacks.training_pipeline.function_settings import training_props
from stacks.training_pipeline.functions import TrainingFunctions
from stacks.training_pipeline.job_props import JobProps
from stacks.training_pipeline.job_role import TrainingJobRole
from stacks.training_pipeline.members import Members
from stacks.training_pipeline.model_deployment import ModelDeploymentStep
from stacks.training_pipeline.processing_jobs import ProcessingJobs
from stacks.training_pipeline.training_jobs import TrainingJobs
from stacks.training_pipeline.training_triggers import TrainingTriggers
from stacks.training_pipeline.workflow import TrainingWorkflow


class TrainingPipelineStack(EnvironmentStack):
    """From a dataset version to a registered model."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        buckets: Buckets,
        tables: Tables,
        registry: ModelRegistry,
        deployment: sfn.StateMachine,
        people: People,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        image = ModelImage(self, "Image", digest_uri=config.image)
        images = AlgorithmImages(self, "AlgorithmImages")
        ensemble = EnsembleConfig(self, "EnsembleConfig", use_case=config.use_case)
        props = training_props(
            config=config,
            ensemble=ensemble,
            image=image,
            images=images,
            buckets=buckets,
            tables=tables,
            registry=registry,
        )
        functions = TrainingFunctions(
            self,
            "Functions",
            props=props,
            ensemble=ensemble,
            approval_hours=config.training.approval_hours,
            deployed=config.deployed,
        )
        job = JobProps(
            role=TrainingJobRole(self, "JobRole", image=image, images=images, buckets=buckets),
            key=tables.key,
            name_prefix=config.resource_prefix,
            settings=config.training,
        )
        jobs = TrainingJobs(self, "Jobs", props=job)
        workflow = TrainingWorkflow(
            self,
            "Training",
            functions=functions,
            jobs=jobs,
            processing=ProcessingJobs(self, "Processing", props=job),
            members=Members(
                self, "Members", jobs=jobs, concurrency=config.training.concurrent_jobs
            ),
            deployment=ModelDeploymentStep(
                self,
                "Deployment",
                deployment=deployment,
                timeout_seconds=config.inference.deployment_timeout_seconds,
            ),
            log_days=config.log_days,
        )
        DatasetTrigger(self, "DatasetTrigger", use_case=config.use_case, machine=workflow.machine)
        TrainingTriggers(
            self,
            "Triggers",
            use_case=config.use_case,
            schedule=config.training.schedule,
            machine=workflow.machine,
        )
        ConfigStore(self, "ConfigStore", use_case=config.use_case, props=props, ensemble=ensemble)
        api = ApprovalApi(
            self,
            "ApprovalApi",
            document=api_document(config.use_case),
            props=props,
            machine=workflow.machine,
            people=people,
        ).api
        release = ReleaseRole(
            self,
            "ReleaseRole",
            name=config.release_role_name("training"),
            stage_name=config.stage_name,
            pipeline_account=config.pipeline_account,
        )
        release.allow_run(workflow.machine)
        grant_items(tables.models, release, "GetItem")
        publish(
            self,
            WorkflowArn=workflow.machine.state_machine_arn,
            ApiUrl=api.url,
            ApiId=api.rest_api_id,
            ApiStage=STAGE,
        )
