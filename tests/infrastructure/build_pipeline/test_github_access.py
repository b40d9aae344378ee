"""GitHub's workflows deploy as a role that trusts one environment of one repository."""

from __future__ import annotations

import json

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from stacks.build_pipeline.github_access import GitHubAccessStack
from stacks.config.environments import PROD
from stacks.config.model import GitHubSettings

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def access(**settings):
    app = App()
    github = GitHubSettings(owner="team", repository="models", **settings)
    stack = GitHubAccessStack(app, "GitHubAccess", config=PROD, settings=github)
    return app, Template.from_stack(stack)


@pytest.fixture
def template():
    return access()[1]


def trust(template):
    ((_, role),) = template.find_resources("AWS::IAM::Role").items()
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return statement


def test_the_token_must_name_repository_environment_and_audience(template):
    statement = trust(template)

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:team/models:environment:prod",
        }
    }


def test_the_role_may_take_the_roles_of_the_bootstrap_and_nothing_else(template):
    ((_, policy),) = template.find_resources("AWS::IAM::Policy").items()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Action"] == "sts:AssumeRole"
    assert all("cdk-hnb659fds-" in json.dumps(each) for each in statement["Resource"])
    assert len(statement["Resource"]) == 4


def test_the_account_gets_to_know_github_unless_it_does():
    assert len(access()[1].find_resources("AWS::IAM::OIDCProvider")) == 1

    known = access(provider_arn=PROVIDER)[1]
    assert known.find_resources("AWS::IAM::OIDCProvider") == {}
    assert trust(known)["Principal"] == {"Federated": PROVIDER}


def test_there_is_no_open_finding():
    app, _ = access()

    assert AwsSolutionsChecks(app).validate_scope(app).violations == []


def test_no_environment_trusts_github_unasked():
    assert PROD.github is None
