"""Requests are read and refused, and answers written, by AWS's own description of a service."""

import json

import pytest

from localcloud.answers import serialise, serialise_error
from localcloud.constraints import violations
from localcloud.plain_values import is_plain
from localcloud.registry import ServiceError
from localcloud.service_model import HttpRequest, find_operation, parse
from localcloud.service_model import service_model as model_of
from localcloud.values import decode

SAGEMAKER = ("sagemaker", "sagemaker-runtime")


def request(operation, **parameters):
    return HttpRequest(
        "POST", "/", {"x-amz-target": f"SageMaker.{operation}"}, {}, json.dumps(parameters).encode()
    )


def parsed(operation, **parameters):
    asked = request(operation, **parameters)
    return parse(find_operation(SAGEMAKER, asked), asked)


def refusal(operation, **parameters):
    with pytest.raises(ServiceError) as refused:
        parsed(operation, **parameters)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def test_an_operation_is_found_by_its_target_or_its_path():
    by_target = find_operation(SAGEMAKER, request("ListModels"))
    by_path = find_operation(SAGEMAKER, HttpRequest("POST", "/endpoints/one/invocations", {}))

    assert (by_target.name, by_path.name) == ("ListModels", "InvokeEndpoint")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (request("MakeCoffee"), "SageMaker.MakeCoffee"),
        (HttpRequest("GET", "/nowhere", {}), "GET /nowhere"),
    ],
)
def test_an_unknown_operation_is_named(asked, named):
    with pytest.raises(ServiceError, match=f"{named} is no operation of sagemaker") as refused:
        find_operation(SAGEMAKER, asked)
    assert refused.value.code == "UnknownOperationException"


def test_a_valid_request_gives_its_parameters():
    assert parsed("DescribeModel", ModelName="one") == {"ModelName": "one"}


def test_a_missing_member_is_named():
    assert refusal("DescribeModel") == (
        "1 validation error detected: Value at 'ModelName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_an_ill_typed_member_is_named():
    assert "ModelName" in refusal("DescribeModel", ModelName=["one"])


def test_an_unknown_member_is_named():
    assert "Colour" in refusal("DescribeModel", ModelName="one", Colour="red")


def test_a_name_that_is_too_long_and_of_wrong_form_is_refused_for_both():
    message = refusal("DescribeModel", ModelName="_" * 64)

    assert "Member must have length less than or equal to 63" in message
    assert "Member must satisfy regular expression pattern" in message


def test_a_value_outside_its_enumeration_or_range_is_refused():
    message = refusal("ListModels", SortBy="Colour", MaxResults=0)

    assert message.startswith("2 validation errors detected")
    assert "Member must satisfy enum value set: [Name, CreationTime]" in message
    assert "Member must have value greater than or equal to 1" in message


def test_members_inside_lists_are_named_by_their_place():
    message = refusal("AddTags", ResourceArn="arn:aws:sagemaker:a:b:c/d", Tags=[{"Key": "team"}])

    assert "Tags.1.member.Value" in message


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_object_is_refused(body):
    asked = HttpRequest("POST", "/", {"x-amz-target": "SageMaker.ListModels"}, {}, body)

    with pytest.raises(ServiceError, match="JSON") as refused:
        parse(find_operation(SAGEMAKER, asked), asked)
    assert refused.value.code == "SerializationException"


def test_rest_members_are_read_from_path_headers_and_body():
    headers = {"content-type": "text/csv", "x-amzn-sagemaker-target-variant": "blue"}
    asked = HttpRequest("POST", "/endpoints/one/invocations", headers, {}, b"1,2")

    assert parse(find_operation(SAGEMAKER, asked), asked) == {
        "EndpointName": "one",
        "Body": b"1,2",
        "ContentType": "text/csv",
        "TargetVariant": "blue",
    }


def test_rest_answers_carry_headers_and_the_raw_body():
    operation = model_of("sagemaker-runtime").operation_model("InvokeEndpoint")

    answer = serialise(operation, {"Body": b"0.5", "InvokedProductionVariant": "blue"})

    assert (answer.status, answer.body) == (200, b"0.5")
    assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "blue"


def test_an_error_names_its_code_and_its_own_members():
    error = ServiceError("ModelError", "broken", 424, {"OriginalStatusCode": 500})

    answer = serialise_error(model_of("sagemaker-runtime"), error)

    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (424, "ModelError")
    assert json.loads(answer.body) == {
        "__type": "ModelError",
        "message": "broken",
        "OriginalStatusCode": 500,
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"Entries": [{"FeatureGroupName": "g", "Record": [{"FeatureName": "f"}]}]},
        {"Entries": [{"FeatureGroupName": "g", "Record": [], "TargetStores": ["OnlineStore"]}]},
        {"Entries": [{"FeatureGroupName": "g", "Record": [{"FeatureName": "-"}]}]},
        {"Entries": [{"FeatureGroupName": "g", "Record": [{"FeatureName": "f", "More": "x"}]}]},
        {"Entries": [{"FeatureGroupName": "g", "Record": [{"ValueAsString": "x"}]}]},
        {"Entries": [{"FeatureGroupName": "g", "Record": [None], "TargetStores": [["Nowhere"]]}]},
        {"Entries": "many"},
        {"Entries": [{"FeatureGroupName": "g", "Record": [{"FeatureName": "f"}]}] * 26},
        {"Entries": [], "TtlDuration": {"Unit": "Days", "Value": 0}},
        {"Entries": [], "TtlDuration": {"Unit": "Years", "Value": True}},
        {"Identifiers": 1},
    ],
)
def test_what_passes_at_a_glance_is_what_violates_nothing_and_needs_no_conversion(parameters):
    operation = model_of("sagemaker-featurestore-runtime").operation_model("BatchWriteRecord")
    problems = []
    decoded = decode(operation.input_shape, parameters, problems)
    found = problems or violations(operation.input_shape, decoded)

    assert is_plain(operation.input_shape, parameters) == (found == [])


def test_a_value_that_travels_in_another_form_takes_the_long_way():
    operation = model_of("sagemaker").operation_model("ListModels")
    asked = {"CreationTimeAfter": 1.5}

    assert not is_plain(operation.input_shape, asked)
    assert parsed("ListModels", **asked)["CreationTimeAfter"].timestamp() == 1.5
    assert parsed("ListModels", NameContains=None) == {}
