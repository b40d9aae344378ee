"""Scheduled pulls: made where a contract asks for them, with rights on its places alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks

from pipeline_code.source_contract import Pull
from pipeline_code.use_case import load_use_case
from stacks.common.environment_stack import EnvironmentStack
from stacks.config.environments import LOCAL
from stacks.data_pipeline.source_pulls import SourcePulls
from stacks.foundation.stack import FoundationStack
from stacks.foundation.step_props import StepProps
from tests.infrastructure.definitions import statements_of, text_of
from tests.infrastructure.synthesis import REPOSITORY

PULLS = {
    "weather": Pull(uri="https://example.com/weather-2013.csv", schedule="rate(1 hour)"),
    "aircraft": Pull(uri="s3://registry-of-aircraft/exports/", schedule="cron(0 6 * * ? *)"),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    app = App(outdir=str(tmp_path_factory.mktemp("pulls")), context=context)
    foundation = FoundationStack(app, "Foundation", config=LOCAL)
    stack = EnvironmentStack(app, "Pulls", config=LOCAL)
    use_case = load_use_case(LOCAL.use_case)
    sources = {
        name: replace(source, pull=PULLS.get(name)) for name, source in use_case.sources.items()
    }
    props = StepProps(
        settings={"USE_CASE": "demo"},
        buckets=foundation.buckets,
        tables=foundation.tables,
        log_days=LOCAL.log_days,
    )
    SourcePulls(stack, "Pull", use_case=replace(use_case, sources=sources), props=props)
    return app


@pytest.fixture(scope="module")
def template(app):
    (found,) = (stack for stack in app.synth().stacks if stack.id == "Pulls")
    return found.template


def of_kind(template, kind: str) -> dict:
    return {
        n: node["Properties"] for n, node in template["Resources"].items() if node["Type"] == kind
    }


def test_each_source_with_an_address_has_its_schedule_which_says_what_to_pull(template):
    rules = of_kind(template, "AWS::Events::Rule").values()
    found = {}
    for rule in rules:
        (target,) = rule["Targets"]
        found[rule["ScheduleExpression"]] = json.loads(target["Input"])
        assert "DeadLetterConfig" in target
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    assert found == {
        pull.schedule: {"source": source, "uri": pull.uri} for source, pull in PULLS.items()
    }


def test_the_function_may_land_files_of_its_sources_and_read_their_places_alone(template):
    ((role, _),) = of_kind(template, "AWS::IAM::Role").items()
    allowed = {
        (action, text_of(resource).rsplit(":", 1)[-1])
        for actions, resources in statements_of(template, role)
        for action in actions
        for resource in resources
        if action.startswith("s3:")
    }
    written = {
        resource.split("/", 1)[1] for action, resource in allowed if action == "s3:PutObject"
    }
    assert written == {"landing/weather/*", "landing/aircraft/*"}
    read = {resource for action, resource in allowed if action in ("s3:GetObject", "s3:ListBucket")}
    assert read == {"registry-of-aircraft", "registry-of-aircraft/exports/*"}


def test_its_security_findings_are_argued_for(app):
    report = AwsSolutionsChecks(app).validate_scope(app)
    assert [violation.rule_name for violation in report.violations] == []


def test_a_use_case_without_addresses_has_no_such_function(local):
    handlers = [
        node["Properties"]["Handler"]
        for node in local.resources("DataPipeline", "AWS::Lambda::Function").values()
    ]
    assert not any("pull_source" in handler for handler in handlers)
