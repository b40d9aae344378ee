"""Inference's intent: signed requests, limits, one endpoint, a deployment that can go back."""

from __future__ import annotations

import json

from stacks.config.environments import LOCAL, PROD
from tests.infrastructure.definitions import definition_of, machine_of, states_of, text_of

BLOCK = "Inference"


def states(synthesis) -> dict[str, dict]:
    return dict(states_of(definition_of(machine_of(synthesis, BLOCK))))


def test_every_method_demands_a_signature(local):
    methods = [
        node["Properties"] for node in local.resources(BLOCK, "AWS::ApiGateway::Method").values()
    ]
    assert sorted(method["HttpMethod"] for method in methods) == ["ANY", "ANY", "GET", "POST"]
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_the_stage_is_throttled_traced_and_logged_without_payloads(prod):
    ((_, stage),) = prod.resources(BLOCK, "AWS::ApiGateway::Stage").items()
    properties = stage["Properties"]
    (settings,) = properties["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == PROD.inference.requests_per_second
    assert settings["ThrottlingBurstLimit"] == PROD.inference.burst
    assert settings["DataTraceEnabled"] is False
    assert properties["TracingEnabled"] is True
    logged = json.loads(properties["AccessLogSetting"]["Format"])
    assert not [value for value in logged.values() if "body" in value.lower()]


def test_refusals_of_the_gateway_are_problem_documents_with_their_status(local):
    answers = {
        node["Properties"]["ResponseType"]: node["Properties"]
        for node in local.resources(BLOCK, "AWS::ApiGateway::GatewayResponse").values()
    }
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "THROTTLED"} <= set(answers)
    for answer in answers.values():
        header = answer["ResponseParameters"]["gatewayresponse.header.Content-Type"]
        assert header == "'application/problem+json'"
        template = answer["ResponseTemplates"]["application/json"]
        document = json.loads(template.replace("$context.error.messageString", '"said"'))
        assert document["detail"] == "said"
        assert str(document["status"]) == answer["StatusCode"]
    assert answers["DEFAULT_4XX"]["StatusCode"] == "403"
    assert answers["REQUEST_TOO_LARGE"]["StatusCode"] == "413"


def test_the_service_may_ask_only_this_endpoint(local):
    asked = [
        text_of(statement["Resource"])
        for _, _, node in local.every("AWS::IAM::Policy")
        for statement in node["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "sagemaker:InvokeEndpoint"
    ]
    assert len(asked) == 2  # the service and the verification
    for arn in asked:
        assert arn.endswith(f":endpoint/{LOCAL.endpoint_name}")


def test_models_and_configs_are_created_under_planned_names_only(prod):
    created = states(prod)
    assert created["Create model"]["Parameters"]["ModelName.$"] == "$.plan.model_name"
    assert created["Create model"]["Parameters"]["EnableNetworkIsolation"] is True
    config = created["Create endpoint config"]["Parameters"]
    assert config["EndpointConfigName.$"] == "$.plan.endpoint_config_name"
    (variant,) = config["ProductionVariants"]
    assert variant["InitialInstanceCount"] == PROD.inference.instance_count
    assert variant["InstanceType"] == PROD.inference.instance_type


def test_what_exists_is_not_created_again(prod):
    choices = {
        "Does the model exist?": ("$.plan.model_exists", "Create model"),
        "Does the config exist?": ("$.plan.endpoint_config_exists", "Create endpoint config"),
        "Does the endpoint exist?": ("$.plan.endpoint_exists", "Create endpoint"),
    }
    for name, (flag, create) in choices.items():
        (rule,) = states(prod)[name]["Choices"]
        assert (rule["Variable"], rule["BooleanEquals"]) == (flag, True)
        assert states(prod)[name]["Default"] == create


def test_a_failed_endpoint_is_deleted_and_created_anew(prod):
    found = states(prod)
    choice = found["Is there a failed endpoint?"]
    (rule,) = choice["Choices"]
    assert (rule["Variable"], rule["BooleanEquals"]) == ("$.plan.endpoint_failed", True)
    assert found["Plan deployment"]["Next"] == "Verify artefact"
    assert found["Verify artefact"]["Next"] == "Is there a failed endpoint?"
    assert choice["Default"] == "Is it serving already?"
    assert rule["Next"] == "Delete failed endpoint"
    assert found["Delete failed endpoint"]["Next"] == "Let the endpoint go"
    assert found["Let the endpoint go"]["Type"] == "Wait"
    assert found["Let the endpoint go"]["Next"] == "Plan deployment"


def test_an_endpoint_that_changes_is_waited_for(prod):
    retries = states(prod)["Plan deployment"]["Retry"]
    (busy,) = [retry for retry in retries if retry["ErrorEquals"] == ["EndpointBusyError"]]
    assert busy["MaxAttempts"] * busy["MaxDelaySeconds"] / 2 >= 1800


def test_in_service_with_the_old_config_is_a_failed_deployment(prod):
    first, second = states(prod)["Is the endpoint in service?"]["Choices"]
    assert first["Next"] == "Verify deployment"
    assert {
        "Variable": "$.endpoint.config",
        "StringEqualsPath": "$.plan.endpoint_config_name",
    } in first["And"]
    assert second["Next"] == "Endpoint not in service"
    assert states(prod)["Is the endpoint in service?"]["Default"] == "Wait for endpoint"


def test_wrong_answers_bring_the_previous_config_back(prod):
    found = states(prod)
    assert found["Verify deployment"]["Catch"][-1]["Next"] == "Did another model serve before?"
    (rule,) = found["Did another model serve before?"]["Choices"]
    assert rule["Next"] == "Restore previous config"
    restored = found["Restore previous config"]["Parameters"]["EndpointConfigName.$"]
    assert restored == "$.plan.previous_endpoint_config_name"


def test_predictions_expire_after_the_configured_days(prod):
    (node,) = [
        node["Properties"]
        for node in prod.resources(BLOCK, "AWS::Lambda::Function").values()
        if "serve_predictions" in node["Properties"]["Handler"]
    ]
    variables = node["Environment"]["Variables"]
    assert variables["PREDICTION_DAYS"] == str(PROD.inference.prediction_days)
    assert variables["ENDPOINT_NAME"] == PROD.endpoint_name
    assert node["Timeout"] < 29
