"""The report of the branches of the state machines, and of the tests that took each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.branches import branches_of, report, taken

MACHINES = {
    "training": ("TrainingPipeline", "WorkflowArn"),
    "deployment": ("Inference", "DeploymentWorkflowArn"),
}
REPORT = Path("build") / "workflow_branches.md"


def executions(platform, arn):
    client = platform.client("stepfunctions")
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=arn):
        for item in page["executions"]:
            pages = client.get_paginator("get_execution_history").paginate(
                executionArn=item["executionArn"], includeExecutionData=True
            )
            yield item, [event for each in pages for event in each["events"]]


@pytest.fixture(scope="module")
def branches(bare_platform, test_times):
    """Every branch with the names of the tests during which it was taken."""
    client = bare_platform.client("stepfunctions")
    found = {}
    for machine, (block, key) in MACHINES.items():
        arn = bare_platform.outputs(block)[key]
        definition = json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"])
        for branch in branches_of(definition):
            found[(machine, branch)] = []
        for item, events in executions(bare_platform, arn):
            names = [
                name
                for name, started, ended in test_times
                if started <= item["startDate"].timestamp() <= ended
            ]
            for branch in taken(definition, events):
                found[(machine, branch)] += names[-1:] or ["(between tests)"]
    return found


def test_every_branch_is_listed_with_the_tests_that_took_it(bare_platform, branches):
    path = bare_platform.project / REPORT
    path.parent.mkdir(exist_ok=True)
    path.write_text(report(branches))
    assert {branch.kind for _, branch in branches} == {"Choice", "Catch", "Retry"}
    assert len(branches) > 60


def test_the_choices_between_training_and_doing_nothing_are_all_taken(branches):
    choices = [
        (branch.state, branch.next)
        for (machine, branch), tests in branches.items()
        if machine == "training" and branch.kind == "Choice" and not tests
    ]
    unneeded = {"Tune member", "Tune member on", "Prepare data"}
    assert [found for found in choices if found[1] not in unneeded] == []
