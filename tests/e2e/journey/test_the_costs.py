"""What costs money is foreseen and found; the endpoint sleeps, wakes, and answers as before."""

from __future__ import annotations

import json

from tests.e2e.journey.test_from_sources_to_predictions import ledger, samples


def test_the_doctor_finds_nothing_wrong_with_what_is_deployed(platform):
    said = platform.command("doctor", "local", "--json")

    findings = json.loads(said)
    assert {each["check"] for each in findings} >= {"tools", "disk", "synthesis", "stacks"}
    assert [each for each in findings if each["state"] != "ok"] == []


def test_what_costs_money_is_found_by_name_and_tag(platform):
    said = platform.command("destroy", "--dry-run")

    for kind in ("stack", "bucket", "table", "endpoint", "log group", "feature group"):
        assert kind in said, said
    assert platform.outputs("Inference")["EndpointName"] in said
    assert "stays" not in said


def test_an_endpoint_that_is_asked_is_left_alone(platform):
    name = platform.outputs("Inference")["IdleStopFunctionName"]
    request = {"when": "idle", "requested_by": "schedule", "reason": "nobody asked it"}

    answer = platform.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request))

    assert json.loads(answer["Payload"].read())["stopped"] is False


def test_the_endpoint_sleeps_and_wakes_as_it_was(platform):
    sagemaker, name = platform.client("sagemaker"), platform.outputs("Inference")["EndpointName"]
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    (instance, *_) = [each.get("instance", each) for each in samples(platform)]
    answered = platform.predict(instance).json()["predictions"][0]["probability"]

    platform.command("sleep", "--reason", "over for today")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
    assert ledger(platform)[-1]["event_type"]["S"] == "endpoint_stopped"
    platform.command("wake", "--reason", "a new day")

    after = sagemaker.describe_endpoint(EndpointName=name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)
    again = platform.predict(instance).json()["predictions"][0]["probability"]
    assert again == answered
