"""The boundary of the API's functions: who asks, under which id, and what every failure becomes."""

from __future__ import annotations

import json

import pytest

from lambdas.common.api import ApiResponse, caller, read_event, serve
from lambdas.common.observability import JsonLogger
from lambdas.common.principals import principal_of
from lambdas.common.refusals import RefusedError

SESSION = "arn:aws:sts::1:assumed-role/Approver/CognitoIdentityCredentials"
POOL = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"


def event(**headers):
    return {
        "httpMethod": "GET",
        "path": "/p",
        "headers": headers,
        "requestContext": {"requestId": "made", "identity": {"userArn": "arn:aws:iam::1:user/me"}},
    }


def person(subject):
    provider = f"{POOL},{POOL}:CognitoSignIn:{subject}"
    return {"userArn": SESSION, "cognitoAuthenticationProvider": provider}


def test_people_of_one_group_are_different_principals():
    ann, bob = caller(person("ann")), caller(person("bob"))
    assert ann == "cognito:eu-west-1_abc/ann"
    assert principal_of(ann) != principal_of(bob)


def test_machines_are_who_signed():
    assert caller({"userArn": SESSION}) == SESSION
    assert caller({"userArn": SESSION, "cognitoAuthenticationProvider": None}) == SESSION
    assert caller({}) == ""


@pytest.mark.parametrize(
    ("given", "counts"),
    [("a-1._:B", "a-1._:B"), ("", "made"), ("a b", "made"), ("x" * 129, "made"), ("ä", "made"),
     ("a\n", "made")],
)  # fmt: skip
def test_a_correlation_id_is_taken_or_made(given, counts):
    assert read_event(event(**{"x-correlation-ID": given})).correlation_id == counts


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (RefusedError(409, "taken", "It is taken.", headers={"Retry-After": "1"}), 409, "taken"),
        (KeyError("secret"), 500, "Quote made"),
    ],
)
def test_what_is_raised_is_a_problem_with_the_id_in_answer_and_log(raised, status, said, capsys):
    def answer(_request):
        raise raised

    given = serve(event(), JsonLogger("f"), answer)

    assert given["statusCode"] == json.loads(given["body"])["status"] == status
    assert said in json.loads(given["body"])["detail"]
    assert "secret" not in given["body"]
    assert given["headers"]["Content-Type"] == "application/problem+json"
    assert given["headers"]["X-Correlation-Id"] == "made"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["correlation_id"] for line in lines} == {"made"}
    assert lines[-1]["status"] == status


def test_no_body_reaches_the_log(capsys):
    given = serve(
        {**event(), "body": "personal"}, JsonLogger("f"), lambda _request: ApiResponse(200, {}, {})
    )
    assert given["statusCode"] == 200
    assert "personal" not in capsys.readouterr().out
