"""The platform's REST API: each operation of the document with the function that answers it."""

from __future__ import annotations

from typing import NamedTuple

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.api_access import GroupAccess
from stacks.common.api_document import Document
from stacks.common.api_layer import ApiDocumentLayer
from stacks.common.signed_api import STAGE, ApiProps, SignedApi
from stacks.config.model import InferenceSettings, UsagePlan
from stacks.foundation.people import People
from stacks.foundation.step_props import StepProps
from stacks.inference.api_functions import LabelRecording, RecordReader, RollbackRequest
from stacks.inference.decision_service import DecisionService
from stacks.inference.prediction_service import PredictionService

BLOCK = "Inference"
_KEYED = "createPredictions"
"""What usage plans count: everything else costs next to nothing."""


class Services(NamedTuple):
    """The functions that are made outside of the API, because more than it needs them."""

    predictions: PredictionService
    decisions: DecisionService


class PredictionApi(Construct):
    """Predictions, labels, models, deployments and rollbacks, for machines and for people."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        document: Document,
        services: Services,
        deployment: sfn.StateMachine,
        props: StepProps,
        people: People,
        settings: InferenceSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        layer = ApiDocumentLayer(self, "Document", document=document)
        reader = RecordReader(self, "Reader", props=props, document=layer)
        described = SignedApi(
            self,
            "Signed",
            props=ApiProps(
                document=document,
                block=BLOCK,
                functions={
                    "createPredictions": services.predictions,
                    "getPrediction": services.predictions,
                    "createDecision": services.decisions,
                    "getDecision": services.decisions,
                    "getLineage": reader,
                    "recordLabels": LabelRecording(self, "Labels", props=props, document=layer),
                    "listModels": reader,
                    "getModel": reader,
                    "listDeployments": reader,
                    "requestRollback": RollbackRequest(
                        self, "Rollback", props=props, document=layer, deployment=deployment
                    ),
                    "getDocument": reader,
                },
                elsewhere=reader,
                requests_per_second=settings.requests_per_second,
                burst=settings.burst,
                log_days=props.log_days,
                keyed=frozenset({_KEYED} if settings.usage_plans else ()),
            ),
        )
        self.api = described.api
        for plan in settings.usage_plans:
            self._plan(plan)
        GroupAccess(
            self,
            "Access",
            api=self.api,
            stage=STAGE,
            operations=described.operations,
            roles=people.roles,
        )

    def _plan(self, plan: UsagePlan) -> None:
        """Make a plan with the one key that counts for it."""
        made = self.api.add_usage_plan(
            f"Plan{plan.name.capitalize()}",
            name=plan.name,
            throttle=apigateway.ThrottleSettings(
                rate_limit=plan.requests_per_second, burst_limit=plan.burst
            ),
            quota=apigateway.QuotaSettings(
                limit=plan.requests_per_day, period=apigateway.Period.DAY
            ),
        )
        made.add_api_stage(api=self.api, stage=self.api.deployment_stage)
        key = self.api.add_api_key(f"Key{plan.name.capitalize()}", description=plan.name)
        made.add_api_key(key)
