"""Least privilege, proved from templates: nothing broader than its reason, nothing unused."""

from __future__ import annotations

import re

import pytest

from tests.infrastructure.definitions import (
    MACHINES,
    definition_of,
    machine_of,
    statements_of,
    tasks_of,
    template_of,
    text_of,
)

RUNNING_BLOCKS = ("DataPipeline", "TrainingPipeline", "Inference")
WITHOUT_RESOURCES = {
    # Calls that AWS offers for all resources only, see its service authorization reference.
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "sagemaker:ListTags",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
NAMED_AT_RUN_TIME = re.compile(
    r"""/(landing|batches|quarantine|features|datasets|staging|runs|analytics|predictions|decisions/(documents|rows|requests|jobs)|labels/rows|labels/index|trainings|evaluations|models|training|pretrained|batch)/\*$
    |:(training-job|processing-job|hyper-parameter-tuning-job|model|endpoint-config)/fourblocks-prod(-decide-)?\*$
    |:model-package/fourblocks-prod-[a-z-]+/\*$
    |:stack/Fourblocks-prod-[A-Za-z]+/\*$
    |:execution:<[^*]+>:\*$
    |/v1/(GET|POST)/(predictions|models|decisions|approvals)/\*(/lineage)?$
    |:(scalable-target/|alarm:TargetTracking-)\*$
    |:log-group:/aws-glue/\*$
    |:log-group:/aws/sagemaker/(TrainingJobs|ProcessingJobs|TransformJobs|Endpoints/[a-z0-9-]+):\*$""",
    re.VERBOSE,
)
"""The only patterns: a prefix of this environment, below which a run finds or makes the names."""

MACHINE_SIDE = {
    "sagemaker:createTrainingJob.sync": {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    },
    "sagemaker:createProcessingJob.sync": {
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    },
    "glue:startJobRun.sync": {
        "glue:StartJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:BatchStopJobRun",
    },
    "states:startExecution.sync:2": {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    },
    "lambda:invoke.waitForTaskToken": {"lambda:InvokeFunction"},
    "sagemaker:createHyperParameterTuningJob.sync": {
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    },
    "sagemaker:createModel": {"sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"},
    "sagemaker:createEndpointConfig": {"sagemaker:CreateEndpointConfig", "sagemaker:AddTags"},
    "sagemaker:createEndpoint": {"sagemaker:CreateEndpoint", "sagemaker:AddTags"},
    "sagemaker:updateEndpoint": {"sagemaker:UpdateEndpoint", "cloudwatch:DescribeAlarms"},
    "aws-sdk:sagemaker:deleteEndpoint": {"sagemaker:DeleteEndpoint"},
    "aws-sdk:sagemaker:describeEndpoint": {"sagemaker:DescribeEndpoint"},
}


def roles(synthesis, block):
    return synthesis.resources(block, "AWS::IAM::Role")


@pytest.mark.parametrize("block", RUNNING_BLOCKS)
def test_no_action_is_a_pattern(block, prod):
    for role in roles(prod, block):
        for actions, _ in statements_of(prod.templates[block], role):
            assert not [action for action in actions if "*" in action], role


@pytest.mark.parametrize("block", RUNNING_BLOCKS)
def test_every_pattern_of_resources_is_a_named_prefix(block, prod):
    for role in roles(prod, block):
        for actions, resources in statements_of(prod.templates[block], role):
            for resource in resources:
                if resource == "*":
                    assert actions <= WITHOUT_RESOURCES, (role, actions - WITHOUT_RESOURCES)
                elif "*" in resource:
                    assert NAMED_AT_RUN_TIME.search(resource), (role, resource)


@pytest.mark.parametrize("block", MACHINES)
def test_a_state_machine_may_do_what_its_steps_need_and_no_more(block, prod):
    machine = machine_of(prod, block)
    role = machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    needed = {"lambda:InvokeFunction"} | {
        action for action in WITHOUT_RESOURCES if action.startswith(("logs:", "xray:"))
    }
    for task in tasks_of(definition_of(machine)).values():
        if ":states:::" in task["Resource"]:
            needed |= MACHINE_SIDE[task["Resource"].split(":states:::")[1]]
    allowed = statements_of(template_of(prod, block), role)
    assert set().union(*(actions for actions, _ in allowed)) == needed


@pytest.mark.parametrize("block", MACHINES)
def test_a_state_machine_invokes_its_steps_functions_and_no_other(block, prod):
    machine = machine_of(prod, block)
    role = machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    allowed = {
        resource.removesuffix(":$LATEST")
        for actions, resources in statements_of(template_of(prod, block), role)
        if "lambda:InvokeFunction" in actions
        for resource in resources
    }
    steps = {
        task["Parameters"].get("FunctionName", task["Resource"])
        for task in tasks_of(definition_of(machine)).values()
        if ":states:::" not in task["Resource"] or "FunctionName" in task["Parameters"]
    }
    assert allowed == steps


@pytest.mark.parametrize("block", RUNNING_BLOCKS)
def test_each_function_has_a_role_of_its_own(block, prod):
    used = [
        text_of(node["Properties"]["Role"])
        for node in prod.resources(block, "AWS::Lambda::Function").values()
    ]
    assert used
    assert len(set(used)) == len(used)
