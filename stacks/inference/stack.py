"""Inference: a registered model becomes an endpoint, and its answers an API.

The deployment workflow verifies the model's seal, creates the SageMaker model and endpoint config,
named by what they contain, moves the endpoint, asks it the model's golden requests, and records
what serves. The REST API takes signed requests; each prediction is stored until it expires. Nothing
in the template names a model: a deployment of a model is no deployment of a stack.
"""

from __future__ import annotations

from constructs import Construct

from stacks.common.api_document import api_document
from stacks.common.environment_stack import EnvironmentStack
from stacks.common.outputs import publish
from stacks.common.signed_api import STAGE
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets
from stacks.foundation.model_registry import ModelRegistry
from stacks.foundation.people import People
from stacks.foundation.prediction_queue import PredictionQueue
from stacks.foundation.tables import Tables
from stacks.inference.api import PredictionApi, Services
from stacks.inference.decisions import Decisions
from stacks.inference.deployment_alarms import DeploymentAlarms
from stacks.inference.endpoint import ModelEndpoint
from stacks.inference.function_settings import (
    api_props,
    deployment_props,
    feature_groups,
    prediction_props,
)
from stacks.inference.functions import DeploymentFunctions
from stacks.inference.idle_stop import IdleStop
from stacks.inference.prediction_log import PredictionLog
from stacks.inference.prediction_service import PredictionService
from stacks.inference.release_access import ReleaseAccess
from stacks.inference.workflow import DeploymentWorkflow


class InferenceStack(EnvironmentStack):
    """From a registered model to answers over HTTP."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        buckets: Buckets,
        tables: Tables,
        registry: ModelRegistry,
        people: People,
        prediction_queue: PredictionQueue,
    ) -> None:
        super().__init__(scope, construct_id, config=config)
        endpoint = ModelEndpoint(
            self,
            "Endpoint",
            endpoint_name=config.endpoint_name,
            name_prefix=config.resource_prefix,
            buckets=buckets,
            image=config.image,
        )
        alarms = DeploymentAlarms(
            self,
            "Alarms",
            endpoint_name=config.endpoint_name,
            settings=config.inference.deployment,
        )
        deploying = deployment_props(
            config=config, buckets=buckets, tables=tables, registry=registry, alarms=alarms.names
        )
        self.deployment = DeploymentWorkflow(
            self,
            "Deployment",
            functions=DeploymentFunctions(
                self, "Functions", props=deploying, endpoint=endpoint, alarms=alarms
            ),
            endpoint=endpoint,
            alarms=alarms,
            settings=config.inference,
            log_days=config.log_days,
        ).machine
        if config.inference.idle_hours is not None:
            idle = IdleStop(
                self,
                "IdleStop",
                props=deploying,
                endpoint=endpoint,
                idle_hours=config.inference.idle_hours,
            )
            publish(self, IdleStopFunctionName=idle.function.function_name)
        serving = prediction_props(config=config, buckets=buckets, tables=tables)
        service = PredictionService(
            self,
            "PredictionService",
            props=serving,
            endpoint=endpoint,
            queue=prediction_queue,
            feature_groups=feature_groups(config),
        )
        PredictionLog(
            self,
            "PredictionLog",
            props=serving,
            source=prediction_queue,
            batch_seconds=config.inference.log_batch_seconds,
        )
        decisions = Decisions(self, "Decisions", config=config, props=serving)
        api = PredictionApi(
            self,
            "PredictionApi",
            document=api_document(config.use_case),
            services=Services(service, decisions.service),
            deployment=self.deployment,
            props=api_props(config=config, buckets=buckets, tables=tables),
            people=people,
            settings=config.inference,
        ).api
        ReleaseAccess(self, "ReleaseAccess", config=config, api=api, buckets=buckets, tables=tables)
        publish(
            self,
            ApiUrl=api.url,
            ApiId=api.rest_api_id,
            ApiStage=STAGE,
            EndpointName=config.endpoint_name,
            DeploymentWorkflowArn=self.deployment.state_machine_arn,
            DecisionWorkflowArn=decisions.workflow.machine.state_machine_arn,
        )
