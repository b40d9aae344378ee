"""Every branch of every state machine is taken; a report says by which execution, or which walk.

A machine that is new gets walks of its own in `tests/e2e/walks`, and a line in `WALKS`.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.e2e.branches import KINDS, branches_of, report, taken
from tests.e2e.walking import Walker

WALKS = {
    "DataPipeline/RunWorkflow": "data",
    "Inference/DecisionsLargeWorkflow": "decisions",
    "Inference/DeploymentWorkflow": "deployment",
    "TrainingPipeline/TrainingWorkflow": "training",
}
"""The modules of `tests.e2e.walks`, by machine."""
REPORT = Path("build") / "workflow_branches.md"
LOGICAL_ID = re.compile(r"^(.*?)(StateMachine)?[0-9A-F]{8}$")


@pytest.fixture(scope="module")
def machines(bare_platform):
    """Every state machine of the platform, by block and construct: its ARN and its definition."""
    cloudformation = bare_platform.client("cloudformation")
    stepfunctions, found = bare_platform.client("stepfunctions"), {}
    stacks = cloudformation.describe_stacks()["Stacks"]
    for stack in (each["StackName"] for each in stacks):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in (each for page in pages for each in page["StackResourceSummaries"]):
            if resource["ResourceType"] == "AWS::StepFunctions::StateMachine":
                arn = resource["PhysicalResourceId"]
                block = stack.rpartition("-")[2]
                construct = LOGICAL_ID.match(resource["LogicalResourceId"])[1]
                described = stepfunctions.describe_state_machine(stateMachineArn=arn)
                found[f"{block}/{construct}"] = (arn, json.loads(described["definition"]))
    return found


@pytest.fixture(scope="module")
def walked(bare_platform, machines):
    """What the walks took, by machine and branch."""
    client, found = bare_platform.client("stepfunctions"), {}
    for name in machines.keys() & WALKS.keys():
        walks = import_module(f"tests.e2e.walks.{WALKS[name]}").WALKS
        walker = Walker(client, machines[name][1], walks)
        walker.walk_all()
        found.update({(name, branch): walks for branch, walks in walker.taken.items()})
    return found


@pytest.fixture(scope="module")
def executed(bare_platform, machines, test_times):
    """What executions took, by machine and branch: the tests during which they began."""
    client, found = bare_platform.client("stepfunctions"), {}
    for name, (arn, definition) in machines.items():
        for item, events in _executions(client, arn):
            began = item["startDate"].timestamp()
            tests = [test for test, start, end in test_times if start <= began <= end]
            for branch in taken(client, definition, events):
                found.setdefault((name, branch), []).extend(tests[-1:] or ["(between tests)"])
    return found


def _executions(client, arn):
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=arn):
        for item in page["executions"]:
            pages = client.get_paginator("get_execution_history").paginate(
                executionArn=item["executionArn"], includeExecutionData=True
            )
            yield item, [event for each in pages for event in each["events"]]


@pytest.fixture(scope="module")
def every_branch(machines):
    return [
        (name, branch)
        for name, (_, definition) in sorted(machines.items())
        for branch in branches_of(definition)
    ]


def test_every_machine_is_walked_through(machines):
    assert machines.keys() == WALKS.keys()


def test_every_branch_is_taken(bare_platform, every_branch, executed, walked):
    takers = {each: executed.get(each, []) + walked.get(each, []) for each in every_branch}
    text = report(takers)
    path = bare_platform.project / REPORT
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    print(f"{path}\n{text}")  # noqa: T201  shown when the test fails, or with -s

    assert [each for each, names in takers.items() if not names] == []
    assert {branch.kind for _, branch in every_branch} == set(KINDS)
    assert walked.keys() <= set(every_branch)


def test_executions_train_or_do_nothing_by_every_choice(every_branch, executed):
    """What the journey itself does not decide both ways is prepared and tuned data."""
    untaken = [
        branch.next
        for machine, branch in every_branch
        if machine.startswith("TrainingPipeline")
        and branch.kind == "Choice"
        and (machine, branch) not in executed
    ]
    assert set(untaken) <= {"Tune member", "Tune member on", "Prepare data"}
