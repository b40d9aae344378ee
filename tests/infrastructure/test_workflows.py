"""Every state machine: each task retries, catches, ends; `.sync` has its side permissions."""

from __future__ import annotations

import fnmatch

import pytest

from tests.infrastructure.definitions import (
    MACHINES,
    definition_of,
    machine_of,
    statements_of,
    states_of,
    tasks_of,
    template_of,
    text_of,
)

SYNC_SIDE_PERMISSIONS = {
    "glue:startJobRun.sync": {
        "glue:StartJobRun": "job/",
        "glue:GetJobRun": "job/",
        "glue:GetJobRuns": "job/",
        "glue:BatchStopJobRun": "job/",
    },
    "sagemaker:createTrainingJob.sync": {
        "sagemaker:CreateTrainingJob": "training-job/",
        "sagemaker:DescribeTrainingJob": "training-job/",
        "sagemaker:StopTrainingJob": "training-job/",
        "sagemaker:AddTags": "training-job/",
        "sagemaker:ListTags": "*",
        "iam:PassRole": "",
        "events:PutTargets": "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        "events:PutRule": "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        "events:DescribeRule": "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    },
    "sagemaker:createProcessingJob.sync": {
        "sagemaker:CreateProcessingJob": "processing-job/",
        "sagemaker:DescribeProcessingJob": "processing-job/",
        "sagemaker:StopProcessingJob": "processing-job/",
        "sagemaker:AddTags": "processing-job/",
        "sagemaker:ListTags": "*",
        "iam:PassRole": "",
        "events:PutTargets": "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule",
        "events:PutRule": "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule",
        "events:DescribeRule": "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    },
    "states:startExecution.sync:2": {
        "states:StartExecution": "",
        "states:DescribeExecution": "execution:",
        "states:StopExecution": "execution:",
        "events:PutTargets": "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
        "events:PutRule": "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
        "events:DescribeRule": "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
    },
    "lambda:invoke.waitForTaskToken": {"lambda:InvokeFunction": ""},
    "sagemaker:createHyperParameterTuningJob.sync": {
        "sagemaker:CreateHyperParameterTuningJob": "hyper-parameter-tuning-job/",
        "sagemaker:DescribeHyperParameterTuningJob": "hyper-parameter-tuning-job/",
        "sagemaker:StopHyperParameterTuningJob": "hyper-parameter-tuning-job/",
        "sagemaker:AddTags": "hyper-parameter-tuning-job/",
        "sagemaker:ListTags": "*",
        "iam:PassRole": "",
        "events:PutTargets": "rule/StepFunctionsGetEventsForSageMakerTuningJobsRule",
        "events:PutRule": "rule/StepFunctionsGetEventsForSageMakerTuningJobsRule",
        "events:DescribeRule": "rule/StepFunctionsGetEventsForSageMakerTuningJobsRule",
    },
    "sagemaker:createModel": {"sagemaker:CreateModel": "model/", "iam:PassRole": ""},
    "sagemaker:createEndpointConfig": {"sagemaker:CreateEndpointConfig": "endpoint-config/"},
    "sagemaker:createEndpoint": {"sagemaker:CreateEndpoint": "endpoint/"},
    "sagemaker:updateEndpoint": {"sagemaker:UpdateEndpoint": "endpoint/"},
    "aws-sdk:sagemaker:deleteEndpoint": {"sagemaker:DeleteEndpoint": "endpoint/"},
    "aws-sdk:sagemaker:describeEndpoint": {"sagemaker:DescribeEndpoint": "endpoint/"},
}


def integration_of(task) -> str | None:
    resource = task["Resource"]
    return resource.split(":states:::")[1] if ":states:::" in resource else None


@pytest.mark.parametrize("block", MACHINES)
def test_every_task_retries_with_full_jitter_catches_and_has_a_limit(block, prod):
    definition = definition_of(machine_of(prod, block))
    tasks = tasks_of(definition)
    assert tasks
    for name, task in tasks.items():
        assert task["TimeoutSeconds"] > 0, name
        assert task["Retry"], name
        for retry in task["Retry"]:
            assert retry["JitterStrategy"] == "FULL", name
            assert retry["MaxDelaySeconds"] > 0, name
            assert retry["MaxAttempts"] > 1, name
            assert "States.ALL" not in retry["ErrorEquals"], name
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert task["Catch"][-1]["ResultPath"] == "$.failure", name
    assert definition["TimeoutSeconds"] > max(task["TimeoutSeconds"] for task in tasks.values())


REFUSED_BEFORE_IT_WAS_THERE = (
    "ThrottlingException",
    "ResourceLimitExceededException",
    "ResourceNumberLimitExceededException",
    "ConcurrentRunsExceededException",
    "ExecutionLimitExceededException",
)


@pytest.mark.parametrize("block", MACHINES)
def test_a_job_is_tried_again_only_when_none_was_created(block, prod):
    """A job that exists already would meet its own name; its failure goes to the catch."""
    jobs = {
        name: task
        for name, task in tasks_of(definition_of(machine_of(prod, block))).items()
        if ".sync" in (integration_of(task) or "")
    }
    assert bool(jobs) is (block != "Inference")
    for name, task in jobs.items():
        retried = [error for retry in task["Retry"] for error in retry["ErrorEquals"]]
        assert retried, name
        for error in retried:
            assert error.split(".")[1] in REFUSED_BEFORE_IT_WAS_THERE, (name, error)
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


@pytest.mark.parametrize("block", MACHINES)
def test_every_failure_ends_in_a_fail_state(block, prod):
    definition = definition_of(machine_of(prod, block))
    states = dict(states_of(definition))

    def ends(name, seen):
        state = states[name]
        if state["Type"] in ("Fail", "Succeed"):
            return {state["Type"]}
        if name in seen:
            return set()
        following = [state.get("Next"), state.get("Default")]
        following += [choice["Next"] for choice in state.get("Choices", [])]
        return set().union(*(ends(n, seen | {name}) for n in following if n))

    for name, state in states.items():
        # That nobody answered in time is an answer, and no failure.
        caught = [c for c in state.get("Catch", []) if c["ErrorEquals"] != ["States.Timeout"]]
        assert all(ends(c["Next"], frozenset()) == {"Fail"} for c in caught), name


@pytest.mark.parametrize("block", MACHINES)
def test_state_names_are_sentence_case(block, prod):
    for name, _ in states_of(definition_of(machine_of(prod, block))):
        assert name == name[0].upper() + name[1:].lower(), name


@pytest.mark.parametrize("block", MACHINES)
def test_the_role_holds_what_each_integration_needs_on_the_side(block, prod):
    machine = machine_of(prod, block)
    role = machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    allowed = statements_of(template_of(prod, block), role)
    for name, task in tasks_of(definition_of(machine)).items():
        integration = integration_of(task)
        if integration is None:
            assert holds(allowed, "lambda:InvokeFunction", task["Resource"]), name
            continue
        for action, resource in SYNC_SIDE_PERMISSIONS[integration].items():
            assert holds(allowed, action, resource), (name, action, resource)


def holds(allowed, action, resource_part) -> bool:
    return any(
        action in actions and any(resource_part in resource for resource in resources)
        for actions, resources in allowed
    )


@pytest.mark.parametrize("block", MACHINES)
def test_roles_passed_in_a_definition_are_roles_the_machine_may_pass(block, prod):
    machine = machine_of(prod, block)
    allowed = statements_of(
        template_of(prod, block), machine["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    )
    passable = {r for actions, rs in allowed if actions == {"iam:PassRole"} for r in rs}
    used = {
        task["Parameters"][key]
        for task in tasks_of(definition_of(machine)).values()
        for key in ("RoleArn", "ExecutionRoleArn")
        if key in task["Parameters"]
    }
    assert used == passable


@pytest.mark.parametrize("block", MACHINES)
def test_machines_are_traced_and_logged_without_payloads(block, prod):
    properties = machine_of(prod, block)["Properties"]
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False


@pytest.mark.parametrize("block", MACHINES)
def test_definitions_have_not_changed_by_accident(block, local, snapshot, normalised):
    assert normalised(definition_of(machine_of(local, block))) == snapshot


def test_job_names_stay_within_the_role_s_prefix(prod):
    allowed = statements_of(
        prod.templates["TrainingPipeline"],
        machine_of(prod, "TrainingPipeline")["Properties"]["RoleArn"]["Fn::GetAtt"][0],
    )
    arns = [r for _, rs in allowed for r in rs if "-job/" in r]
    assert arns
    for arn in arns:
        assert fnmatch.fnmatchcase(arn, "*-job/fourblocks-prod*"), text_of(arn)
