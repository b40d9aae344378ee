"""The alarms by which SageMaker rolls a deployment back, and the one that people are told by."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.inference.contract import (
    BAD_VERSION,
    DEPLOYMENT_NAMESPACE,
    PRODUCTION_VARIANT,
)
from stacks.common.grants import grant_on
from stacks.config.model import DeploymentSettings

_MINUTE = Duration.minutes(1)


class DeploymentAlarms(Construct):
    """Raised by the canary judge's verdict, and by the endpoint's own errors if no judge looks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        settings: DeploymentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint = {"EndpointName": endpoint_name}
        verdict = self._alarm(
            "BadVersion",
            "The canary judge holds the new version to be bad",
            self._metric(DEPLOYMENT_NAMESPACE, BAD_VERSION, "Maximum", Duration.seconds(10)),
            threshold=1,
        )
        rate = self._alarm(
            "ErrorRate",
            "So many of the endpoint's requests fail that no judge is needed",
            self._errors("Average"),
            threshold=settings.alarm_error_rate,
        )
        self._alarm(
            "Errors",
            "The endpoint fails requests",
            self._errors("Sum"),
            threshold=settings.alarm_errors,
        )
        self._rolling_back = (verdict, rate)
        self.names = [alarm.alarm_name for alarm in self._rolling_back]

    def grant_look(self, role: iam.Role) -> None:
        """Allow to see the state of the alarms that roll back."""
        grant_on(
            role,
            "cloudwatch:DescribeAlarms",
            resources=[alarm.alarm_arn for alarm in self._rolling_back],
        )

    def grant_tell(self, role: iam.Role) -> None:
        """Allow to publish verdicts."""
        grant_on(
            role,
            "cloudwatch:PutMetricData",
            resources=["*"],
            wildcard_reason="cloudwatch:PutMetricData knows no resources; the namespace limits it.",
            conditions={"StringEquals": {"cloudwatch:namespace": DEPLOYMENT_NAMESPACE}},
        )

    def _errors(self, statistic: str) -> cloudwatch.Metric:
        metric = self._metric("AWS/SageMaker", "Invocation5XXErrors", statistic, _MINUTE)
        return metric.with_(dimensions_map={**self._endpoint, "VariantName": PRODUCTION_VARIANT})

    def _metric(
        self, namespace: str, name: str, statistic: str, period: Duration
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=self._endpoint,
            statistic=statistic,
            period=period,
        )

    def _alarm(
        self, construct_id: str, description: str, metric: cloudwatch.Metric, *, threshold: float
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"{description} ({Stack.of(self).stack_name})",
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
