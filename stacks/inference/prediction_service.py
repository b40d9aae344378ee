"""The function behind the API: checks a request, asks the endpoint, remembers the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Stack
from constructs import Construct

from lambdas.inference.contract import Setting
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_attempts, grant_items, grant_on
from stacks.foundation.prediction_queue import PredictionQueue
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint


class PredictionService(BlockFunction):
    """Answers within the 29 seconds that API Gateway waits."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        endpoint: ModelEndpoint,
        queue: PredictionQueue,
        feature_groups: Mapping[str, str],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="serve_predictions",
            settings={
                **props.settings,
                Setting.PREDICTION_QUEUE: queue.queue.queue_url,
                Setting.FEATURE_GROUPS: json.dumps(feature_groups),
            },
            log_days=props.log_days,
            timeout_seconds=28,
            memory_mb=512,
        )
        grant_items(props.tables.predictions, self.role, "GetItem")
        grant_on(self.role, "sqs:SendMessage", resources=[queue.queue.queue_arn])
        grant_on(
            self.role,
            "sagemaker:BatchGetRecord",
            "sagemaker:DescribeFeatureGroup",
            resources=[
                Stack.of(self).format_arn(
                    service="sagemaker", resource="feature-group", resource_name=name
                )
                for name in feature_groups.values()
            ],
        )
        grant_items(props.tables.evidence, self.role, "UpdateItem")
        grant_attempts(props.tables.attempts, self.role)
        endpoint.grant_invoke(self.role)
