"""The REST API of predictions."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from stacks.common.signed_api import SignedApi
from stacks.config.model import InferenceSettings, LogRetentionDays
from stacks.inference.prediction_service import PredictionService


class PredictionApi(SignedApi):
    """`POST /predictions` and `GET /predictions/{prediction_id}`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: PredictionService,
        settings: InferenceSettings,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Fourblocks predictions",
            requests_per_second=settings.requests_per_second,
            burst=settings.burst,
            log_days=log_days,
            validated_by=(
                "Requests are validated against inputs.yaml by the container that serves the "
                "model, so that the two never differ; the function checks size and JSON."
            ),
        )
        integration = apigateway.LambdaIntegration(
            service.function, allow_test_invoke=False, timeout=Duration.seconds(29)
        )
        predictions = self.api.root.add_resource("predictions")
        one = predictions.add_resource("{prediction_id}")
        for resource, method in ((predictions, "POST"), (one, "GET")):
            resource.add_method(method, integration)
            # Any other method: the service says which one is possible.
            resource.add_method("ANY", integration)
