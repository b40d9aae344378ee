"""What costs money is foreseen and found; the endpoint sleeps, wakes, and answers as before."""

from __future__ import annotations

import json

from tests.e2e.journey.test_from_sources_to_predictions import ledger, samples


def test_the_doctor_finds_nothing_wrong_with_what_is_deployed(bare_platform):
    said = bare_platform.command("doctor", "local", "--json")

    findings = json.loads(said)
    assert {each["check"] for each in findings} >= {"tools", "disk", "synthesis", "stacks"}
    assert [each for each in findings if each["state"] != "ok"] == []


def test_what_costs_money_is_found_by_name_and_tag(bare_platform):
    said = bare_platform.command("destroy", "--dry-run")

    for kind in ("stack", "bucket", "table", "endpoint", "log group", "feature group"):
        assert kind in said, said
    assert bare_platform.outputs("Inference")["EndpointName"] in said
    assert "stays" not in said


def test_an_endpoint_that_is_asked_is_left_alone(bare_platform):
    name = bare_platform.outputs("Inference")["IdleStopFunctionName"]
    request = {"when": "idle", "requested_by": "schedule", "reason": "nobody asked it"}

    answer = bare_platform.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request))

    assert json.loads(answer["Payload"].read())["stopped"] is False


def test_the_endpoint_sleeps_and_wakes_as_it_was(bare_platform):
    sagemaker, name = (
        bare_platform.client("sagemaker"),
        bare_platform.outputs("Inference")["EndpointName"],
    )
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    (instance, *_) = [each.get("instance", each) for each in samples(bare_platform)]
    answered = bare_platform.predict(instance).json()["predictions"][0]["probability"]

    bare_platform.command("sleep", "--reason", "over for today")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
    assert ledger(bare_platform)[-1]["event_type"]["S"] == "endpoint_stopped"
    bare_platform.command("wake", "--reason", "a new day")

    after = sagemaker.describe_endpoint(EndpointName=name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)
    again = bare_platform.predict(instance).json()["predictions"][0]["probability"]
    assert again == answered
