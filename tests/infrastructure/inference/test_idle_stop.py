"""The endpoint stops when nobody asks it, where the configuration says so and nowhere else."""

from __future__ import annotations

from stacks.config.environments import LOCAL
from tests.infrastructure.definitions import text_of

BLOCK = "Inference"


def idle_rules(synthesis):
    return [
        node["Properties"]
        for name, node in synthesis.resources(BLOCK, "AWS::Events::Rule").items()
        if name.startswith("IdleStop")
    ]


def test_it_looks_every_hour(local):
    (rule,) = idle_rules(local)

    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert '"when":"idle"' in text_of(rule["Targets"][0]["Input"])


def test_production_never_stops_by_itself(prod):
    assert idle_rules(prod) == []
    assert "IdleStopFunctionName" not in prod.templates[BLOCK]["Outputs"]


def test_the_function_may_delete_this_endpoint_and_nothing_else(local):
    allowed = [
        statement
        for name, node in local.resources(BLOCK, "AWS::IAM::Policy").items()
        if name.startswith("IdleStop")
        for statement in node["Properties"]["PolicyDocument"]["Statement"]
    ]
    (delete,) = [each for each in allowed if "sagemaker:DeleteEndpoint" in each["Action"]]
    assert delete["Action"] == "sagemaker:DeleteEndpoint"
    assert text_of(delete["Resource"]).endswith(f":endpoint/{LOCAL.endpoint_name}")
    assert not any("sagemaker:Create" in str(each["Action"]) for each in allowed)
