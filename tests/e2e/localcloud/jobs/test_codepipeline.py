"""Pipelines of the embedded AWS, by boto3: stages, artefacts, approvals, retries, stops, modes.

What is expected is what the AWS CodePipeline user guide and its service model say.
"""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.e2e.localcloud.conftest import ACCOUNT, allow, bucket_rights, eventually

BUILD = """
version: 0.2
env: {exported-variables: [WORD]}
phases:
  build:
    commands:
      - export WORD=$(cat word.txt)
      - test "$WORD" != bad
      - test "$WORD" != slow || sleep 600
      - mkdir -p out && echo "built $WORD at $CODEBUILD_RESOLVED_SOURCE_VERSION" > out/built.txt
artifacts: {files: ["out/**/*"]}
"""
DEPLOY = """
version: 0.2
phases:
  build:
    commands: ['aws s3 cp out/built.txt "s3://$TARGET/$NAME/deployed.txt"', 'test "$WORD" != late']
"""


class Pipeline:
    """A pipeline of two builds, with or without an approval between them."""

    def __init__(
        self, cloud, bucket, *, mode="SUPERSEDED", approval=False, on_failure=None, entry=None
    ):
        self.cloud = cloud
        self.bucket = bucket
        self.name = cloud.name("pipeline")
        self.client = cloud.client("codepipeline")
        versions = allow("s3:GetObjectVersion", f"arn:aws:s3:::{bucket}/*")
        roles = [*bucket_rights(bucket), versions]
        projects = [self._project(step, roles) for step in ("build", "deploy")]
        builds = allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"])
        role = cloud.role("codepipeline.amazonaws.com", *roles, builds)
        self.role = role
        deploy = [self._build("Deploy", projects[1], "Built", None, order=2)]
        deploy[0]["configuration"]["EnvironmentVariables"] = json.dumps(
            [
                {"name": "TARGET", "value": bucket},
                {"name": "NAME", "value": self.name},
                {"name": "WORD", "value": "#{BuildVariables.WORD}"},
            ]
        )
        if approval:
            kind = _kind("Approval", "AWS", "Manual")
            deploy.insert(0, {"name": "Approve", "actionTypeId": kind, "runOrder": 1})
        failure = {"onFailure": on_failure} if on_failure else {}
        failure |= {"beforeEntry": {"conditions": [entry]}} if entry else {}
        self.declaration = {
            "name": self.name,
            "roleArn": role,
            "pipelineType": "V2",
            "executionMode": mode,
            "artifactStore": {"type": "S3", "location": bucket},
            "stages": [
                {"name": "Source", "actions": [self._source()]},
                {"name": "Build", "actions": [self._build("Build", projects[0], "Code", "Built")]},
                {"name": "Deploy", "actions": deploy, **failure},
            ],
        }
        self.client.create_pipeline(pipeline=self.declaration)

    def push(self, word):
        """Put a new version of the source where the pipeline finds it."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as opened:
            opened.writestr("word.txt", word)
        self.cloud.client("s3").put_object(
            Bucket=self.bucket,
            Key=f"{self.name}/source.zip",
            Body=content.getvalue(),
            Metadata={"codepipeline-artifact-revision-summary": f"says {word}"},
        )

    def start(self, word=None):
        if word is not None:
            self.push(word)
        return self.client.start_pipeline_execution(name=self.name)["pipelineExecutionId"]

    def execution(self, execution_id):
        found = self.client.get_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=execution_id
        )
        return found["pipelineExecution"]

    def ended(self, execution_id):
        return eventually(
            lambda: self.execution(execution_id),
            lambda found: found["status"] not in ("InProgress", "Stopping"),
        )

    def stage(self, name):
        stages = self.client.get_pipeline_state(name=self.name)["stageStates"]
        return next(stage for stage in stages if stage["stageName"] == name)

    def token(self, execution_id):
        """Wait until an execution waits for its approval; give the token."""

        def look():
            stage = self.stage("Deploy")
            if stage.get("latestExecution", {}).get("pipelineExecutionId") != execution_id:
                return None
            return stage["actionStates"][0].get("latestExecution", {}).get("token")

        return eventually(look)

    def decide(self, token, status="Approved"):
        return self.client.put_approval_result(
            pipelineName=self.name,
            stageName="Deploy",
            actionName="Approve",
            result={"status": status, "summary": "looked at it"},
            token=token,
        )

    def deployed(self):
        key = f"{self.name}/deployed.txt"
        body = self.cloud.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"]
        return body.read().decode()

    def _project(self, step, roles):
        name = self.cloud.name(step)
        self.cloud.client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE", "buildspec": BUILD if step == "build" else DEPLOY},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=self.cloud.role("codebuild.amazonaws.com", *roles),
        )
        return name

    def _source(self):
        place = {"S3Bucket": self.bucket, "S3ObjectKey": f"{self.name}/source.zip"}
        return {
            "name": "Fetch",
            "actionTypeId": _kind("Source", "AWS", "S3"),
            "configuration": {**place, "PollForSourceChanges": "false"},
            "outputArtifacts": [{"name": "Code"}],
        }

    def _build(self, name, project, code, made, order=1):
        return {
            "name": name,
            "actionTypeId": _kind("Build", "AWS", "CodeBuild"),
            "configuration": {"ProjectName": project},
            "runOrder": order,
            "namespace": f"{name}Variables",
            "inputArtifacts": [{"name": code}],
            "outputArtifacts": [{"name": made}] if made else [],
        }


def _kind(category, owner, provider):
    return {"category": category, "owner": owner, "provider": provider, "version": "1"}


@pytest.fixture(scope="module")
def bucket(cloud):
    name = cloud.bucket()
    cloud.client("s3").put_bucket_versioning(
        Bucket=name, VersioningConfiguration={"Status": "Enabled"}
    )
    return name


@pytest.fixture
def pipeline(cloud, bucket):
    return lambda **settings: Pipeline(cloud, bucket, **settings)


def test_artefacts_and_variables_go_from_stage_to_stage(pipeline):
    made = pipeline()

    ended = made.ended(made.start("good"))

    assert ended["status"] == "Succeeded", ended
    (revision,) = ended["artifactRevisions"]
    assert revision["revisionSummary"] == "says good"
    assert made.deployed() == f"built good at {revision['revisionId']}\n"
    actions = made.client.list_action_executions(pipelineName=made.name)["actionExecutionDetails"]
    assert [each["actionName"] for each in actions] == ["Deploy", "Build", "Fetch"]
    assert actions[1]["output"]["outputVariables"] == {"WORD": "good"}
    assert "good" in actions[0]["input"]["resolvedConfiguration"]["EnvironmentVariables"]


def test_a_failed_build_stops_the_pipeline_and_says_why(pipeline):
    made = pipeline()

    ended = made.ended(made.start("bad"))

    build = made.stage("Build")
    assert ended["status"] == "Failed"
    assert build["latestExecution"]["status"] == "Failed"
    message = build["actionStates"][0]["latestExecution"]["errorDetails"]["message"]
    assert 'test "$WORD" != bad' in message
    assert "latestExecution" not in made.stage("Deploy")


def test_an_execution_waits_for_its_approval_and_goes_on(pipeline):
    made = pipeline(approval=True)
    execution = made.start("good")

    made.decide(made.token(execution))

    assert made.ended(execution)["status"] == "Succeeded"
    approval = made.stage("Deploy")["actionStates"][0]["latestExecution"]
    assert approval["summary"] == "looked at it"
    assert "token" not in approval


def test_a_rejected_approval_fails_the_execution(pipeline):
    made = pipeline(approval=True)
    execution = made.start("good")

    made.decide(made.token(execution), "Rejected")

    ended = made.ended(execution)
    assert ended["status"] == "Failed"
    assert "looked at it" in ended["statusSummary"]


def test_a_stale_approval_lets_no_other_execution_through(pipeline):
    made = pipeline(approval=True)
    first = made.start("good")
    stale = made.token(first)
    made.decide(stale, "Rejected")
    made.ended(first)
    second = made.start("newer")
    fresh = made.token(second)

    with pytest.raises(made.client.exceptions.InvalidApprovalTokenException):
        made.decide(stale)

    assert made.execution(second)["status"] == "InProgress"
    made.decide(fresh)
    assert made.ended(second)["status"] == "Succeeded"


def test_a_failed_stage_can_be_retried(pipeline):
    made = pipeline()
    execution = made.start("late")
    made.ended(execution)
    before = made.stage("Deploy")["actionStates"][0]["latestExecution"]["actionExecutionId"]

    made.client.retry_stage_execution(
        pipelineName=made.name,
        stageName="Deploy",
        pipelineExecutionId=execution,
        retryMode="FAILED_ACTIONS",
    )

    assert made.ended(execution)["status"] == "Failed"
    after = made.stage("Deploy")["actionStates"][0]["latestExecution"]["actionExecutionId"]
    assert after != before


def test_only_a_failed_stage_can_be_retried(pipeline):
    made = pipeline()
    execution = made.start("good")
    made.ended(execution)

    with pytest.raises(made.client.exceptions.StageNotRetryableException):
        made.client.retry_stage_execution(
            pipelineName=made.name,
            stageName="Build",
            pipelineExecutionId=execution,
            retryMode="ALL_ACTIONS",
        )


def test_a_stage_retries_by_itself_where_its_declaration_says_so(pipeline):
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
    made = pipeline(on_failure=retry)

    assert made.ended(made.start("late"))["status"] == "Failed"

    actions = made.client.list_action_executions(pipelineName=made.name)["actionExecutionDetails"]
    assert [each["actionName"] for each in actions].count("Deploy") == 2


def test_a_failed_stage_goes_back_to_what_succeeded_there_last(pipeline):
    made = pipeline(on_failure={"result": "ROLLBACK"})
    first = made.start("good")
    made.ended(first)

    failed = made.start("late")
    assert made.ended(failed)["status"] == "Failed"

    def newest():
        found = made.client.list_pipeline_executions(pipelineName=made.name)
        return found["pipelineExecutionSummaries"][0]

    rollback = eventually(newest, lambda found: found["status"] == "Succeeded")
    assert rollback["executionType"] == "ROLLBACK"
    assert rollback["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert rollback["trigger"]["triggerType"] == "AutomatedRollback"
    assert made.deployed().startswith("built good")
    assert made.execution(failed)["status"] == "Failed"


def test_a_failed_stage_without_an_earlier_success_stays_as_it_is(pipeline):
    made = pipeline(on_failure={"result": "ROLLBACK"})

    assert made.ended(made.start("late"))["status"] == "Failed"

    found = made.client.list_pipeline_executions(pipelineName=made.name)
    assert len(found["pipelineExecutionSummaries"]) == 1


def unless(value, *, result):
    """Let an execution in only where the build's word has a value."""
    kind = {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"}
    check = {"Variable": "#{BuildVariables.WORD}", "Operator": "EQ", "Value": value}
    rule = {"name": "TheWord", "ruleTypeId": kind, "configuration": check}
    return {"result": result, "rules": [rule]}


def test_a_condition_of_entry_skips_a_stage_and_the_execution_goes_on(pipeline):
    made = pipeline(entry=unless("good", result="SKIP"))

    assert made.ended(made.start("dull"))["status"] == "Succeeded"

    stage = made.stage("Deploy")
    assert stage["latestExecution"]["status"] == "Skipped"
    reason = stage["beforeEntryConditionState"]["latestExecution"]["summary"]
    assert reason == "TheWord: #{BuildVariables.WORD} is 'dull', not EQ 'good'"
    assert made.ended(made.start("good"))["status"] == "Succeeded"
    assert made.stage("Deploy")["latestExecution"]["status"] == "Succeeded"


def test_a_condition_of_entry_fails_an_execution(pipeline):
    made = pipeline(entry=unless("good", result="FAIL"))

    ended = made.ended(made.start("dull"))

    assert ended["status"] == "Failed"
    assert "TheWord" in ended["statusSummary"]


def test_a_changed_definition_cancels_what_runs_of_the_old_one(pipeline):
    made = pipeline(approval=True)
    execution = made.start("good")
    made.token(execution)

    made.client.update_pipeline(pipeline=made.declaration)

    ended = made.ended(execution)
    assert ended["status"] == "Cancelled"
    assert "definition was updated" in ended["statusSummary"]
    assert made.stage("Deploy")["actionStates"][1].get("latestExecution") is None


def test_an_execution_stopped_at_an_approval_is_abandoned(pipeline):
    made = pipeline(approval=True)
    execution = made.start("good")
    made.token(execution)

    made.client.stop_pipeline_execution(
        pipelineName=made.name, pipelineExecutionId=execution, abandon=True, reason="a better one"
    )

    assert made.ended(execution)["status"] == "Stopped"
    summaries = made.client.list_pipeline_executions(pipelineName=made.name)
    assert summaries["pipelineExecutionSummaries"][0]["stopTrigger"] == {"reason": "a better one"}
    with pytest.raises(made.client.exceptions.PipelineExecutionNotStoppableException):
        made.client.stop_pipeline_execution(
            pipelineName=made.name, pipelineExecutionId=execution, abandon=True
        )


def test_an_abandoned_build_goes_on_and_the_execution_does_not(pipeline):
    made = pipeline()
    execution = made.start("slow")
    eventually(lambda: made.stage("Build").get("latestExecution"))
    run = eventually(
        lambda: made.stage("Build")["actionStates"][0]["latestExecution"].get("externalExecutionId")
    )

    made.client.stop_pipeline_execution(
        pipelineName=made.name, pipelineExecutionId=execution, abandon=True, reason="too slow"
    )

    assert made.ended(execution)["status"] == "Stopped"
    builds = made.cloud.client("codebuild")
    assert builds.batch_get_builds(ids=[run])["builds"][0]["buildStatus"] == "IN_PROGRESS"
    builds.stop_build(id=run)


def test_a_newer_execution_supersedes_the_one_that_waits(pipeline):
    made = pipeline(approval=True)
    first = made.start("good")
    token = made.token(first)
    second = made.start()
    eventually(lambda: made.stage("Deploy").get("inboundExecution"))
    third = made.start()

    assert made.ended(second)["status"] == "Superseded"
    made.decide(token)
    assert made.ended(first)["status"] == "Succeeded"
    made.decide(made.token(third))
    assert made.ended(third)["status"] == "Succeeded"


def test_queued_executions_wait_in_their_order(pipeline):
    made = pipeline(approval=True, mode="QUEUED")
    first = made.start("good")
    token = made.token(first)
    second, third = made.start(), made.start()

    def inbound():
        return [e["pipelineExecutionId"] for e in made.stage("Deploy").get("inboundExecutions", [])]

    eventually(inbound, lambda found: found == [second, third])
    made.decide(token)
    for execution in (second, third):
        made.decide(made.token(execution))
        assert made.ended(execution)["status"] == "Succeeded"


def test_a_disabled_transition_holds_an_execution_back(pipeline):
    made = pipeline()
    gate = {"pipelineName": made.name, "stageName": "Deploy", "transitionType": "Inbound"}
    made.client.disable_stage_transition(**gate, reason="a holiday")
    execution = made.start("good")
    eventually(lambda: made.stage("Deploy").get("inboundExecution"))
    assert made.stage("Deploy")["inboundTransitionState"]["disabledReason"] == "a holiday"

    made.client.enable_stage_transition(**gate)

    assert made.ended(execution)["status"] == "Succeeded"


def test_a_stage_is_rolled_back_to_what_an_earlier_execution_carried(pipeline):
    made = pipeline()
    first = made.start("good")
    made.ended(first)
    made.ended(made.start("newer"))
    assert made.deployed().startswith("built newer")

    rollback = made.client.rollback_stage(
        pipelineName=made.name, stageName="Deploy", targetPipelineExecutionId=first
    )["pipelineExecutionId"]

    ended = made.ended(rollback)
    assert ended["status"] == "Succeeded"
    assert ended["executionType"] == "ROLLBACK"
    assert ended["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == first
    assert made.deployed().startswith("built good")


def test_a_variable_that_nothing_puts_out_fails_the_action_by_name(pipeline):
    made = pipeline()
    deploy = made.declaration["stages"][2]["actions"][0]
    deploy["configuration"]["EnvironmentVariables"] = '[{"name": "A", "value": "#{Nobody.Knows}"}]'
    made.client.update_pipeline(pipeline=made.declaration)

    ended = made.ended(made.start("good"))

    assert ended["status"] == "Failed"
    assert "#{Nobody.Knows} is not known here" in ended["statusSummary"]


def test_a_rule_starts_the_pipeline_as_its_own_role(cloud, pipeline, bucket):
    made = pipeline()
    arn = f"arn:aws:codepipeline:us-east-1:{ACCOUNT}:{made.name}"
    role = cloud.role("events.amazonaws.com", allow("codepipeline:StartPipelineExecution", arn))
    events = cloud.client("events")
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [f"{made.name}/source.zip"]}}}
    events.put_rule(Name=made.name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=made.name, Targets=[{"Id": "1", "Arn": arn, "RoleArn": role}])

    made.push("good")

    def executions():
        found = made.client.list_pipeline_executions(pipelineName=made.name)
        return found["pipelineExecutionSummaries"]

    (summary,) = eventually(executions)
    assert summary["trigger"]["triggerType"] == "CloudWatchEvent"
    assert made.ended(summary["pipelineExecutionId"])["status"] == "Succeeded"
