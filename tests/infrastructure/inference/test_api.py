"""The APIs' intent: what the document says is what is deployed, signed, slowed down and logged."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from stacks.common.api_document import api_document, operations, request_model
from stacks.config.environments import LOCAL, PROD
from tests.infrastructure.definitions import text_of

BLOCKS = ("Inference", "TrainingPipeline")
GROUPS = ("viewer", "operator", "approver")


@pytest.fixture(scope="session")
def document():
    return api_document(LOCAL.use_case)


def paths(synthesis, block):
    """Each resource's path by its logical id."""
    found = synthesis.resources(block, "AWS::ApiGateway::Resource")

    def path(name):
        node = found[name]["Properties"]
        parent = node["ParentId"].get("Ref")
        return f"{path(parent) if parent else ''}/{node['PathPart']}"

    return {name: path(name) for name in found}


def methods(synthesis, block):
    """Each method by verb and path."""
    known = paths(synthesis, block)
    return {
        (node["Properties"]["HttpMethod"], known[node["Properties"]["ResourceId"]["Ref"]]): node[
            "Properties"
        ]
        for node in synthesis.resources(block, "AWS::ApiGateway::Method").values()
    }


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_document_describes_is_what_there_is(block, local, document):
    described = {(each.method, each.path): each for each in operations(document, block)}
    deployed = methods(local, block)
    rest = {(verb, path) for verb, path in deployed if verb == "ANY"}

    assert set(deployed) - rest == set(described)
    assert {path for _, path in rest} == {path for _, path in described} | {"/{elsewhere+}"}
    for key, operation in described.items():
        assert deployed[key]["OperationName"] == operation.operation_id
        assert deployed[key]["RequestParameters"] == dict(operation.parameters)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_method_demands_a_signature(block, local):
    found = methods(local, block).values()
    assert {method["AuthorizationType"] for method in found} == {"AWS_IAM"}


@pytest.mark.parametrize("block", BLOCKS)
def test_bodies_are_checked_by_the_documents_models(block, local, document):
    models = {
        node["Properties"]["Name"]: node["Properties"]["Schema"]
        for node in local.resources(block, "AWS::ApiGateway::Model").values()
    }
    wanted = {each.model for each in operations(document, block) if each.model}
    assert models == {name: request_model(document, name) for name in wanted}
    for schema in models.values():
        jsonschema.Draft4Validator.check_schema(schema)


def access_policies(synthesis):
    """The policies of the groups: group and what it may call, as verb and path."""
    for block in BLOCKS:
        for name, node in synthesis.resources(block, "AWS::IAM::Policy").items():
            group = re.search(f"Access({'|'.join(GROUPS)})", name, re.IGNORECASE)
            if group and "ReleaseAccess" not in name:
                (statement,) = node["Properties"]["PolicyDocument"]["Statement"]
                assert statement["Action"] == "execute-api:Invoke"
                resources = statement["Resource"]
                listed = resources if isinstance(resources, list) else [resources]
                yield group[1].lower(), {text_of(each).split("/v1/")[1] for each in listed}


def test_each_group_may_call_what_the_document_says_and_no_more(local, document):
    allowed = {group: set() for group in GROUPS}
    for group, callable_ in access_policies(local):
        allowed[group] |= callable_
    for group in GROUPS:
        assert allowed[group] == {
            f"{each.method}{re.sub('{[^}]+}', '*', each.path)}"
            for each in operations(document)
            if group in each.groups
        }


def test_nobody_decides_on_models_who_is_no_approver(document):
    (decision,) = (each for each in operations(document) if each.path.startswith("/approvals"))
    assert decision.groups == ("approver",)
    writers = {group for each in operations(document) if each.model for group in each.groups}
    assert "viewer" not in writers


def test_the_stage_is_throttled_traced_and_logged_without_payloads(prod, document):
    ((_, stage),) = prod.resources("Inference", "AWS::ApiGateway::Stage").items()
    properties = stage["Properties"]
    settings = {
        (each["HttpMethod"], each["ResourcePath"]): each for each in properties["MethodSettings"]
    }
    whole = settings.pop(("*", "/*"))
    assert whole["ThrottlingRateLimit"] == PROD.inference.requests_per_second
    assert whole["ThrottlingBurstLimit"] == PROD.inference.burst
    slowed = {
        (each.method, each.path.replace("/", "/~1", 1)): each.rate
        for each in operations(document, "Inference")
        if each.rate
    }
    assert {key: each["ThrottlingRateLimit"] for key, each in settings.items()} == slowed
    assert {each["DataTraceEnabled"] for each in [whole, *settings.values()]} == {False}
    assert properties["TracingEnabled"] is True
    logged = json.loads(properties["AccessLogSetting"]["Format"])
    assert not [value for value in logged.values() if "body" in value.lower()]


@pytest.mark.parametrize("block", BLOCKS)
def test_refusals_of_the_gateway_are_problem_documents_with_their_status(block, local):
    answers = {
        node["Properties"]["ResponseType"]: node["Properties"]
        for node in local.resources(block, "AWS::ApiGateway::GatewayResponse").values()
    }
    for answer in answers.values():
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.X-Correlation-Id"] == "context.requestId"
        template = answer["ResponseTemplates"]["application/json"]
        told = json.loads(template.replace("$context.error.messageString", '"said"'))
        assert told["detail"] == "said"
        assert str(told["status"]) == answer["StatusCode"]
    statuses = {kind: answer["StatusCode"] for kind, answer in answers.items()}
    unknown = ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "DEFAULT_4XX")
    assert {statuses[kind] for kind in unknown} == {"401"}
    assert statuses["ACCESS_DENIED"] == "403"
    assert statuses["REQUEST_TOO_LARGE"] == "413"
    assert statuses["THROTTLED"] == statuses["QUOTA_EXCEEDED"] == "429"
    assert "gatewayresponse.header.Retry-After" in answers["THROTTLED"]["ResponseParameters"]


def test_people_get_the_role_of_their_group_and_nobody_signs_up(prod):
    ((_, pool),) = prod.resources("Foundation", "AWS::Cognito::UserPool").items()
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"
    groups = {
        node["Properties"]["GroupName"]: text_of(node["Properties"]["RoleArn"])
        for node in prod.resources("Foundation", "AWS::Cognito::UserPoolGroup").values()
    }
    assert set(groups) == set(GROUPS)
    assert len(set(groups.values())) == len(GROUPS)
    ((_, roles),) = prod.resources("Foundation", "AWS::Cognito::IdentityPoolRoleAttachment").items()
    (mapping,) = roles["Properties"]["RoleMappings"].values()
    assert (mapping["Type"], mapping["AmbiguousRoleResolution"]) == ("Token", "Deny")
    assert "Roles" not in roles["Properties"]


def test_credentials_of_a_group_come_from_this_identity_pool_alone(prod):
    ((pool, _),) = prod.resources("Foundation", "AWS::Cognito::IdentityPool").items()
    trusts = [
        node["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        for node in prod.resources("Foundation", "AWS::IAM::Role").values()
        if "cognito" in json.dumps(node["Properties"]["AssumeRolePolicyDocument"])
    ]
    assert len(trusts) == len(GROUPS)
    for trust in trusts:
        audience = trust["Condition"]["StringEquals"]["cognito-identity.amazonaws.com:aud"]
        assert audience == {"Ref": pool}


def test_a_rollback_may_start_the_deployment_and_nothing_else(prod):
    started = [
        text_of(statement["Resource"])
        for name, node in prod.resources("Inference", "AWS::IAM::Policy").items()
        if "Rollback" in name
        for statement in node["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "states:StartExecution"
    ]
    machines = prod.resources("Inference", "AWS::StepFunctions::StateMachine")
    (machine,) = (name for name in machines if name.startswith("Deployment"))
    assert started == [text_of({"Ref": machine})]
