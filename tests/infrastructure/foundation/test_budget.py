"""The account's budget: alarms before it is spent, to whoever the configuration names."""

from __future__ import annotations

import json

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template
from pydantic import ValidationError

from stacks.common.budget import MonthlyBudget
from stacks.config.environments import ENVIRONMENTS
from stacks.config.model import BudgetSettings


@pytest.fixture
def template():
    stack = Stack(App(), "Stack")
    settings = BudgetSettings(usd=200, subscribers=("team@example.com",))
    MonthlyBudget(stack, "Budget", key=kms.Key(stack, "Key"), settings=settings)
    return Template.from_stack(stack)


def test_alarms_tell_before_and_when_the_budget_is_spent(template):
    ((_, node),) = template.find_resources("AWS::Budgets::Budget").items()

    limit = node["Properties"]["Budget"]["BudgetLimit"]
    alarms = [
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in node["Properties"]["NotificationsWithSubscribers"]
    ]
    assert limit == {"Amount": 200, "Unit": "USD"}
    assert alarms == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]


def test_those_who_are_named_get_a_mail(template):
    template.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "team@example.com"}
    )


def test_the_budgets_of_this_account_alone_may_publish_and_use_the_key(template):
    allowed = {
        "Principal": {"Service": "budgets.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    statement = Match.array_with([Match.object_like(allowed)])
    template.has_resource_properties(
        "AWS::SNS::TopicPolicy", {"PolicyDocument": {"Statement": statement}}
    )
    template.has_resource_properties("AWS::KMS::Key", {"KeyPolicy": {"Statement": statement}})


def test_every_environment_has_a_budget_above_its_estimate():
    for environment, config in ENVIRONMENTS.items():
        assert config.budget is not None, environment


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValidationError, match="subscribers"):
        BudgetSettings(usd=1, subscribers=("nobody",))


def test_the_foundation_holds_the_budget(local):
    ((name, node),) = local.resources("Foundation", "AWS::Budgets::Budget").items()
    topic = node["Properties"]["NotificationsWithSubscribers"][0]["Subscribers"][0]["Address"]

    assert topic["Ref"] in local.templates["Foundation"]["Resources"]
    assert "BudgetTopicArn" in json.dumps(local.templates["Foundation"]["Outputs"]), name
