"""A template's budget becomes one of the account, follows its changes, and goes with its stack."""

from __future__ import annotations

import json

from tests.e2e.localcloud.conftest import ACCOUNT

STACK = "with-a-budget"


def template(amount):
    subscriber = {"SubscriptionType": "SNS", "Address": {"Ref": "Topic"}}
    notification = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80,
    }
    return json.dumps(
        {
            "Resources": {
                "Topic": {"Type": "AWS::SNS::Topic"},
                "Budget": {
                    "Type": "AWS::Budgets::Budget",
                    "Properties": {
                        "Budget": {
                            "BudgetType": "COST",
                            "TimeUnit": "MONTHLY",
                            "BudgetLimit": {"Amount": amount, "Unit": "USD"},
                        },
                        "NotificationsWithSubscribers": [
                            {"Notification": notification, "Subscribers": [subscriber]}
                        ],
                    },
                },
            },
            "Outputs": {"Name": {"Value": {"Ref": "Budget"}}},
        }
    )


def limits(cloud):
    answer = cloud.client("budgets").describe_budgets(AccountId=ACCOUNT)
    return {each["BudgetName"]: each["BudgetLimit"]["Amount"] for each in answer["Budgets"]}


def test_a_budget_follows_its_template(cloud):
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=STACK, TemplateBody=template(100))
    formation.get_waiter("stack_create_complete").wait(StackName=STACK)
    (output,) = formation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    assert float(limits(cloud)[output["OutputValue"]]) == 100.0

    formation.update_stack(StackName=STACK, TemplateBody=template(250))
    formation.get_waiter("stack_update_complete").wait(StackName=STACK)
    assert [float(each) for each in limits(cloud).values()] == [250.0]

    formation.delete_stack(StackName=STACK)
    formation.get_waiter("stack_delete_complete").wait(StackName=STACK)
    assert limits(cloud) == {}
