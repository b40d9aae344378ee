"""Inference's intent: signed requests, limits, one endpoint, a deployment that can go back."""

from __future__ import annotations

from lambdas.inference.contract import trial_endpoint_name
from stacks.config.environments import LOCAL, PROD
from tests.infrastructure.definitions import definition_of, machine_of, states_of, text_of

BLOCK = "Inference"


def listed(value):
    return value if isinstance(value, list) else [value]


def states(synthesis) -> dict[str, dict]:
    return dict(states_of(definition_of(machine_of(synthesis, BLOCK))))


def test_the_service_may_ask_only_this_endpoint(local):
    asked = [
        text_of(resource)
        for _, _, node in local.every("AWS::IAM::Policy")
        for statement in node["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "sagemaker:InvokeEndpoint"
        for resource in listed(statement["Resource"])
    ]
    # The service and the verification; the verification also asks the trial endpoint.
    names = sorted(arn.rpartition(":endpoint/")[2] for arn in asked)
    assert names == [LOCAL.endpoint_name] * 2 + [trial_endpoint_name(LOCAL.endpoint_name)]


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
    assert found["Plan deployment"]["Next"] == "Is there anything to do?"
    assert found["Is there anything to do?"]["Default"] == "Verify artefact"
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
    first, second, guarded = states(prod)["Is the endpoint in service?"]["Choices"]
    assert first["Next"] == "Verify deployment"
    assert {
        "Variable": "$.endpoint.config",
        "StringEqualsPath": "$.plan.endpoint_config_name",
    } in first["And"]
    assert second["Next"] == "Endpoint not in service"
    assert guarded["Next"] == "Judge canary"
    assert states(prod)["Is the endpoint in service?"]["Default"] == "Wait for endpoint"


def test_whatever_fails_is_undone_before_the_deployment_fails(prod):
    found = states(prod)
    endings = {"Undo deployment", "End deployment"}
    tasks = {name for name, state in found.items() if state["Type"] == "Task"} - endings
    for name in tasks:
        assert [catch["Next"] for catch in found[name]["Catch"]] == ["Undo deployment"], name
    assert found["Endpoint not in service"]["Next"] == "Undo deployment"
    assert found["Undo deployment"]["Next"] == "Deployment failed"


def test_a_version_is_tried_before_any_traffic_and_watched_while_it_gets_some(prod):
    found = states(prod)
    (tried,) = found["Is it tried first?"]["Choices"]
    assert tried["Next"] == "Create trial endpoint"
    assert found["Ask trial endpoint"]["Next"] == "Delete trial endpoint"
    assert found["Delete trial endpoint"]["Next"] == "Is it watched?"
    (watched,) = found["Is it watched?"]["Choices"]
    assert watched["Next"] == "Begin to watch"
    update = found["Update endpoint"]["Parameters"]
    assert update["DeploymentConfig.$"] == "$.plan.deployment_config"


def test_the_alarms_that_roll_back_are_about_this_endpoint(prod):
    found = {
        node["Properties"]["MetricName"]: node["Properties"]
        for name, node in prod.resources(BLOCK, "AWS::CloudWatch::Alarm").items()
        if not name.startswith("PredictionLog")
    }
    for properties in (found["BadVersion"], found["Invocation5XXErrors"]):
        dimensions = {each["Name"]: each["Value"] for each in properties["Dimensions"]}
        assert dimensions["EndpointName"] == PROD.endpoint_name
        assert properties["TreatMissingData"] == "notBreaching"


def test_a_dead_execution_starts_a_repair(prod):
    rules = [
        node["Properties"]
        for node in prod.resources(BLOCK, "AWS::Events::Rule").values()
        if "aws.states" in node["Properties"].get("EventPattern", {}).get("source", [])
    ]
    (rule,) = rules
    assert rule["EventPattern"]["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]


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
