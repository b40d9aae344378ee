"""The month's budget: told by mail and by topic before it is spent, and again when it is."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.config.model import BudgetSettings

_SERVICE = "budgets.amazonaws.com"
_THRESHOLDS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))


class MonthlyBudget(Construct):
    """A budget of the account, and the topic of its alarms.

    Of the account, not of a tag: what is not tagged would not count, and cost allocation tags wait
    for somebody to activate them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: BudgetSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        self._let_budgets_publish(key)
        for address in settings.subscribers:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        self.budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=settings.usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                self._alarm(kind, percent) for kind, percent in _THRESHOLDS
            ],
        )

    def _alarm(
        self, kind: str, percent: int
    ) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
        return budgets.CfnBudget.NotificationWithSubscribersProperty(
            notification=budgets.CfnBudget.NotificationProperty(
                notification_type=kind,
                comparison_operator="GREATER_THAN",
                threshold=percent,
                threshold_type="PERCENTAGE",
            ),
            subscribers=[
                budgets.CfnBudget.SubscriberProperty(
                    subscription_type="SNS", address=self.topic.topic_arn
                )
            ],
        )

    def _let_budgets_publish(self, key: kms.IKey) -> None:
        """Let the service publish for this account alone, with the key of the topic."""
        conditions = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        principal = iam.ServicePrincipal(_SERVICE)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=conditions,
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[principal],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=conditions,
            )
        )
