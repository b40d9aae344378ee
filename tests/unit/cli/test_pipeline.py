"""`fourblocks pipeline`: what a run did, why it failed, and words that are for one run alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli import pipeline
from cli.errors import NotThereError, RefusedError
from cli.pipeline_runs import read_run, reasons

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)
COMMIT = "4b97a65698caf1d5b0e3d8b7c6a5f4e3d2c1b0a9"


def action(stage, name, status, **result):
    return {
        "stageName": stage,
        "actionName": name,
        "status": status,
        "startTime": BEGAN,
        "lastUpdateTime": BEGAN + timedelta(seconds=7),
        "input": {"actionTypeId": {"provider": "CodeBuild"}},
        "output": {
            "executionResult": result,
            "outputVariables": {"COMMIT": COMMIT} if name == "Build" else {},
        },
    }


FAILED = action(
    "Test",
    "Test",
    "Failed",
    externalExecutionId="project:1",
    errorDetails={"message": "make unit: exit status 2"},
)


class FakePipeline:
    """CodePipeline with one run, which waits for a person or failed."""

    def __init__(self, actions, waiting="", undoes=""):
        self.actions = actions
        self.undoes = undoes
        self.waiting = waiting
        self.asked = []

    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, **given):
        if "filter" in given:
            return [{"actionExecutionDetails": list(reversed(self.actions))}]
        summary = {"pipelineExecutionId": "run-1", "status": "InProgress", "startTime": BEGAN}
        trigger = {"triggerType": "AutomatedRollback", "triggerDetail": "run-1"}
        undoing = {**summary, "pipelineExecutionId": "run-2", "trigger": trigger}
        return [{"pipelineExecutionSummaries": [*([undoing] if self.undoes else []), summary]}]

    def get_pipeline_state(self, name):
        latest = {"pipelineExecutionId": "run-1", "status": "InProgress"}
        skipped = {"latestExecution": {"summary": "DEPLOYS is 'false'"}}
        approval = {"actionName": "Approve", "latestExecution": {"token": self.waiting}}
        return {
            "stageStates": [
                {"stageName": "Build", "actionStates": [], "latestExecution": latest},
                {"stageName": "Test", "actionStates": [], "latestExecution": latest},
                {
                    "stageName": "Image",
                    "actionStates": [],
                    "latestExecution": {**latest, "status": "Skipped"},
                    "beforeEntryConditionState": skipped,
                },
                {
                    "stageName": "Prod",
                    "actionStates": [approval] if self.waiting else [],
                    "latestExecution": latest,
                },
            ]
        }

    def __getattr__(self, operation):
        return lambda **given: self.asked.append((operation, given))


class FakeBuilds:
    """CodeBuild with one failed test, or none."""

    def __init__(self, cases):
        self.cases = cases

    def batch_get_builds(self, ids):
        logs = {"groupName": "g", "streamName": "s"}
        return {"builds": [{"id": ids[0], "reportArns": ["report"], "logs": logs}]}

    def batch_get_reports(self, reportArns):  # noqa: N803  as AWS has it
        counts = {"FAILED": len(self.cases)}
        return {"reports": [{"arn": "report", "testSummary": {"statusCounts": counts}}]}

    def describe_test_cases(self, **given):
        return {"testCases": self.cases if given["filter"]["status"] == "FAILED" else []}


class FakeLogs:
    """The words of one build."""

    def get_paginator(self, name):
        return self

    def paginate(self, **given):
        lines = ["[Container] Running command make", "", "Traceback", "KeyError: 'a'"]
        return [{"events": [{"message": line} for line in lines]}]


@pytest.fixture
def pipelines(target):
    def with_run(*actions, waiting="", cases=(), undoes=""):
        target.deployed["BuildPipeline"] = {"PipelineName": "release"}
        fake = FakePipeline(list(actions), waiting, undoes)
        clients = {"codepipeline": fake, "codebuild": FakeBuilds(list(cases)), "logs": FakeLogs()}
        target._clients.update(clients)
        return target, fake

    return with_run


def test_a_run_shows_what_ran_and_what_was_skipped_and_why(pipelines):
    target, _ = pipelines(action("Build", "Build", "Succeeded"), FAILED)

    rows = {row.label: row for row in read_run(target).rows()}

    assert (rows["Build"].state, rows["Build"].seconds) == ("done", 7.0)
    assert (rows["Test"].state, rows["Test"].detail) == ("failed", "make unit: exit status 2")
    assert rows["Image"].detail == "skipped: DEPLOYS is 'false'"


def test_a_run_is_found_by_its_commit(pipelines):
    target, _ = pipelines(action("Build", "Build", "Succeeded"))

    assert read_run(target, COMMIT[:8]).execution_id == "run-1"
    with pytest.raises(NotThereError, match="ffff"):
        read_run(target, "ffff")


def test_failed_tests_are_the_reason(pipelines):
    case = {"prefix": "tests.unit", "name": "test_sum", "message": "assert 2 == 3\nmore"}
    target, _ = pipelines(FAILED, cases=[case])

    said = list(reasons(target, read_run(target)))

    assert said == [
        "Test / Test: make unit: exit status 2",
        "  test tests.unit.test_sum: assert 2 == 3",
    ]


def test_without_a_failed_test_the_logs_last_words_are_the_reason(pipelines):
    target, _ = pipelines(FAILED)

    assert list(reasons(target, read_run(target)))[1:] == ["  Traceback", "  KeyError: 'a'"]


def test_a_word_is_given_with_the_token_of_the_run_that_was_named(pipelines):
    target, fake = pipelines(action("Build", "Build", "Succeeded"), waiting="token-1")

    pipeline.decide(target, COMMIT[:7], approved=True, reason="read the report")

    ((operation, given),) = fake.asked
    assert operation == "put_approval_result"
    assert (given["stageName"], given["token"]) == ("Prod", "token-1")
    assert given["result"] == {"status": "Approved", "summary": "read the report"}


def test_a_run_that_waits_for_nobody_cannot_be_released(pipelines):
    target, fake = pipelines(action("Build", "Build", "Succeeded"))

    with pytest.raises(NotThereError, match="waits for nobody"):
        pipeline.decide(target, "run-1", approved=True, reason="x")
    assert fake.asked == []


def test_a_retry_is_of_the_stage_that_failed(pipelines):
    target, fake = pipelines(action("Build", "Build", "Succeeded"), FAILED)

    pipeline.retry(target, "")

    ((operation, given),) = fake.asked
    assert (operation, given["stageName"]) == ("retry_stage_execution", "Test")


def test_nothing_is_retried_where_nothing_failed(pipelines):
    target, _ = pipelines(action("Build", "Build", "Succeeded"))

    with pytest.raises(NotThereError, match="nothing of it failed"):
        pipeline.retry(target, "")


def test_a_rollback_says_what_it_undoes_and_why(pipelines, capsys):
    target, _ = pipelines(FAILED, undoes="run-1")

    pipeline.show_pipeline(target, "", follow=False)

    said = capsys.readouterr().out
    assert "It undoes run run-1, which failed:" in said
    assert "Test / Test: make unit: exit status 2" in said


class FakeRestartedPipeline(FakePipeline):
    """CodePipeline whose own update cancelled a run; the next with the same source waits."""

    SOURCE = ({"actionName": "Source", "revisionId": "version-1"},)

    def paginate(self, **given):
        if "filter" in given:
            return super().paginate(**given)
        cancelled = {
            "pipelineExecutionId": "run-0",
            "status": "Cancelled",
            "startTime": BEGAN,
            "sourceRevisions": self.SOURCE,
        }
        anew = {
            **cancelled,
            "pipelineExecutionId": "run-1",
            "status": "InProgress",
            "startTime": BEGAN + timedelta(seconds=9),
        }
        return [{"pipelineExecutionSummaries": [anew, cancelled]}]


def test_a_run_that_the_pipelines_own_update_cancelled_is_followed_in_the_one_after_it(
    pipelines, capsys
):
    target, _ = pipelines()
    target._clients["codepipeline"] = FakeRestartedPipeline([], waiting="token-1")

    with pytest.raises(RefusedError, match="InProgress"):
        pipeline.show_pipeline(target, "run-0", follow=True)

    said = " ".join(capsys.readouterr().out.split())
    assert "run run-0 is cancelled, run run-1 begins anew with its source" in said
    assert "Prod / Approve waits for a person" in said


def test_an_environment_that_another_ones_pipeline_releases_says_so(target):
    target.deployed["Foundation"] = {}

    with pytest.raises(NotThereError, match="test has no pipeline of its own"):
        read_run(target)
