"""The API's document: valid, complete, and what is made from it is up to date."""

from __future__ import annotations

import json

import jsonschema
import pytest
import schemathesis

from lambdas.inference.contract import ApiLayer
from stacks.common.api_document import (
    api_document,
    layer_files,
    operations,
    platform_document,
    request_model,
    resolved,
)
from stacks.common.api_page import PAGE, page

USE_CASE = "flight_delays"
KEY = "method.request.header.Idempotency-Key"
REFUSALS = {"401", "403", "429", "500", "504"}


@pytest.fixture(scope="module")
def document():
    return api_document(USE_CASE)


def test_the_page_is_what_the_document_says():
    assert PAGE.read_text(encoding="utf-8") == page(platform_document()), (
        "run python -m stacks.common.api_page"
    )


def test_the_document_is_openapi_and_every_schema_is_one(document):
    found = schemathesis.openapi.from_dict(document)
    assert len(list(found.get_all_operations())) == len(list(operations(document)))
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(resolved(document, schema))


def test_each_operation_says_who_may_and_how_it_is_refused(document):
    names = [each.operation_id for each in operations(document)]
    assert len(set(names)) == len(names)
    for each in operations(document):
        responses = document["paths"][each.path][each.method.lower()]["responses"]
        assert each.groups
        assert set(responses) >= REFUSALS, each
        assert any(status < "300" for status in responses)
        if each.model:
            assert set(responses) >= {"400", "413", "415"}, each
        if KEY in each.parameters:
            assert set(responses) >= {"409", "422"}, each


def test_every_write_takes_an_idempotency_key_unless_its_body_is_one(document):
    writes = {each.operation_id: each.parameters for each in operations(document) if each.model}
    without = {name for name, parameters in writes.items() if KEY not in parameters}
    assert without == {"createDecision"}  # its id is the digest of what it decides on


def test_all_that_is_refused_is_a_problem_with_the_correlation_id(document):
    for name, response in document["components"]["responses"].items():
        answer = resolved(document, response)
        assert "X-Correlation-Id" in answer["headers"], name
        kinds = set(answer["content"])
        assert kinds in ({"application/json"}, {"application/problem+json"}), name


def test_the_instance_is_what_the_use_case_needs(document):
    schema = resolved(document, document["components"]["schemas"]["Instance"])
    jsonschema.Draft202012Validator.check_schema(schema)
    first, *others = schema["properties"]
    assert schema["required"] == [first]
    assert all("null" in schema["properties"][name]["type"] for name in others)
    assert "properties" not in platform_document()["components"]["schemas"]["Instance"]


def test_models_of_the_gateway_allow_what_the_document_allows(document):
    wish = {"to": 3, "reason": "worse"}
    jsonschema.Draft4Validator(request_model(document, "RollbackRequest")).validate(wish)
    for bad in ({**wish, "to": "next"}, {**wish, "more": 1}, {"to": 3}, {**wish, "reason": ""}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft4Validator(request_model(document, "RollbackRequest")).validate(bad)


def test_the_layer_holds_the_document_and_the_schemas_of_all_bodies(document):
    files = layer_files(document)
    assert json.loads(files[ApiLayer.DOCUMENT]) == document
    schemas = json.loads(files[ApiLayer.SCHEMAS])
    assert set(schemas) == {each.model for each in operations(document) if each.model}
    assert "$ref" not in files[ApiLayer.SCHEMAS]
