"""The second engine: what changes when the config names EMR Serverless, and what does not."""

from __future__ import annotations

import json
import re

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks

from stacks.config.environments import LOCAL
from stacks.stage import FourblocksStage
from tests.infrastructure.definitions import definition_of, statements_of, tasks_of, text_of
from tests.infrastructure.synthesis import REPOSITORY

BLOCK = "DataPipeline"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    settings = LOCAL.data_pipeline.model_copy(update={"engine": "emr_serverless"})
    config = LOCAL.model_copy(update={"data_pipeline": settings})
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    app = App(outdir=str(tmp_path_factory.mktemp("emr")), context=context)
    FourblocksStage(app, config.stage_name, config=config)
    return app


@pytest.fixture(scope="module")
def template(app):
    return app.synth().get_stack_by_name(f"{LOCAL.stage_name}-{BLOCK}").template


def only(template, kind: str):
    ((name, node),) = (
        (name, node) for name, node in template["Resources"].items() if node["Type"] == kind
    )
    return name, node["Properties"]


def test_the_application_has_the_release_of_its_image_a_limit_and_stops_when_idle(template):
    _, application = only(template, "AWS::EMRServerless::Application")
    dockerfile = (REPOSITORY / "pipeline_code" / "data_pipeline" / "Dockerfile").read_text()

    assert f"spark/{application['ReleaseLabel']}:" in dockerfile
    assert application["MaximumCapacity"] == {"Cpu": "16 vCPU", "Memory": "64 GB"}
    assert application["AutoStopConfiguration"] == {"Enabled": True, "IdleTimeoutMinutes": 5}
    assert "container-assets" in text_of(application["ImageConfiguration"]["ImageUri"])


def test_no_glue_job_is_left_and_the_rest_of_the_workflow_is_the_same(template, local):
    kinds = {node["Type"] for node in template["Resources"].values()}
    assert not kinds & {"AWS::Glue::Job", "AWS::Glue::SecurityConfiguration"}
    _, machine = only(template, "AWS::StepFunctions::StateMachine")
    ((_, other),) = local.resources(BLOCK, "AWS::StepFunctions::StateMachine").items()
    mine, theirs = (definition_of({"Properties": p}) for p in (machine, other["Properties"]))
    assert mine["States"].keys() == theirs["States"].keys()
    differing = {n for n, state in mine["States"].items() if state["Type"] != "Task"}
    assert all(mine["States"][name] == theirs["States"][name] for name in differing)


def test_the_job_gets_the_arguments_that_it_gets_on_glue(template, local):
    _, machine = only(template, "AWS::StepFunctions::StateMachine")
    task = tasks_of(definition_of({"Properties": machine}))["Transform batch"]
    ((_, job),) = local.resources(BLOCK, "AWS::Glue::Job").items()
    on_glue = {
        name
        for name in job["Properties"]["DefaultArguments"]
        if re.fullmatch(r"--[a-z_]+", name) and name != "--conf"
    }
    submission = task["Parameters"]["JobDriver"]["SparkSubmit"]
    given = set(re.findall(r"'(--[a-z_]+)'", submission["EntryPointArguments.$"]))

    assert given == on_glue | {"--run_id", "--batch_uri"}
    assert "'--engine', 'emr_serverless'" in submission["EntryPointArguments.$"]
    assert submission["SparkSubmitParameters"].startswith("--py-files s3://")
    assert task["Parameters"]["ClientToken.$"] == "$.batch.run_id"


def test_the_step_retries_catches_and_has_a_limit_above_the_job_s_own(template):
    _, machine = only(template, "AWS::StepFunctions::StateMachine")
    task = tasks_of(definition_of({"Properties": machine}))["Transform batch"]
    assert task["Resource"].endswith("emr-serverless:startJobRun.sync")
    assert task["TimeoutSeconds"] > 60 * task["Parameters"]["ExecutionTimeoutMinutes"]
    assert all(retry["JitterStrategy"] == "FULL" for retry in task["Retry"])
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_the_machine_may_start_follow_and_cancel_runs_of_this_application_alone(template):
    application, _ = only(template, "AWS::EMRServerless::Application")
    _, machine = only(template, "AWS::StepFunctions::StateMachine")
    role = machine["RoleArn"]["Fn::GetAtt"][0]
    allowed = {
        action: resources
        for actions, resources in statements_of(template, role)
        for action in actions
        if action.startswith(("emr-serverless:", "iam:", "events:"))
    }
    arn = f"<{application}.Arn>"
    assert allowed["emr-serverless:StartJobRun"] == [arn]
    assert allowed["emr-serverless:GetJobRun"] == [f"{arn}/jobruns/*"]
    assert allowed["emr-serverless:CancelJobRun"] == [f"{arn}/jobruns/*"]
    assert "EmrTransformRole" in allowed["iam:PassRole"][0]
    for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
        (rule,) = allowed[action]
        assert rule.endswith("rule/StepFunctionsGetEventsForEMRServerlessJobRule")


def test_the_role_of_the_job_may_do_with_data_what_glue_s_may(template, local):
    def data_rights(resources, service):
        (role,) = [
            name
            for name, node in resources["Resources"].items()
            if node["Type"] == "AWS::IAM::Role" and service in json.dumps(node)
        ]
        return {
            (action, resource)
            for actions, found in statements_of(resources, role)
            for action in actions
            for resource in found
            if action.startswith(("s3:", "dynamodb:")) and "assets" not in resource
        }

    mine = data_rights(template, "emr-serverless.amazonaws.com")
    assert mine == data_rights(local.templates[BLOCK], "glue.amazonaws.com")
    assert mine


def test_its_security_findings_are_argued_for(app):
    report = AwsSolutionsChecks(app).validate_scope(app)
    assert [violation.rule_name for violation in report.violations] == []
