"""The build pipeline's intent: five stages, builds that hold nothing but the bootstrap's roles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from aws_cdk import App, Stack
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_s3 as s3

from stacks.build_pipeline.source import source_action
from stacks.config.model import ArchiveSource, CodeCommitSource, CodeConnectionsSource
from tests.infrastructure.definitions import text_of

REPOSITORY = Path(__file__).resolve().parents[3]
BLOCK = "BuildPipeline"
CONNECTION = "arn:aws:codeconnections:us-east-1:123456789012:connection/x"


def pipeline_of(synthesis):
    ((_, node),) = synthesis.resources(BLOCK, "AWS::CodePipeline::Pipeline").items()
    return node["Properties"]


def test_stages_follow_one_another(local):
    pipeline = pipeline_of(local)
    names = [stage["Name"] for stage in pipeline["Stages"]]
    assert names == ["Source", "Build", "Test", "Image", "Deploy"]
    assert pipeline["PipelineType"] == "V2"
    assert pipeline["ExecutionMode"] == "QUEUED"


def test_a_person_releases_what_goes_to_prod(local, prod):
    def deploy(synthesis):
        return [a["Name"] for a in pipeline_of(synthesis)["Stages"][-1]["Actions"]]

    assert deploy(local) == ["Deploy"]
    assert deploy(prod) == ["Approve", "Deploy"]


def test_a_new_zip_starts_the_pipeline(local):
    ((_, rule),) = local.resources(BLOCK, "AWS::Events::Rule").items()
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["detail"]["object"] == {"key": ["source/repository.zip"]}


def test_every_project_runs_a_specification_of_the_repository(local):
    projects = local.resources(BLOCK, "AWS::CodeBuild::Project").values()
    files = [node["Properties"]["Source"]["BuildSpec"] for node in projects]
    assert len(set(files)) == 4
    for file in files:
        specification = yaml.safe_load((REPOSITORY / file).read_text())
        assert specification["version"] == 0.2
        assert specification["phases"]["build"]["commands"]


def test_builds_may_take_the_roles_of_the_bootstrap_and_no_others(local):
    taken = {}
    for name, node in local.resources(BLOCK, "AWS::IAM::Policy").items():
        for statement in node["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Action"] == "sts:AssumeRole" and "cdk-" in json.dumps(statement):
                resources = statement["Resource"]
                resources = resources if isinstance(resources, list) else [resources]
                taken[name] = {
                    text_of(r).split("cdk-hnb659fds-")[1].split("-role")[0] for r in resources
                }
    by_stage = {
        stage: kinds
        for stage in ("Image", "Deploy")
        for name, kinds in taken.items()
        if stage in name
    }
    assert len(taken) == 2
    assert by_stage == {
        "Image": {"file-publishing", "image-publishing"},
        "Deploy": {"deploy", "file-publishing", "image-publishing", "lookup"},
    }


@pytest.mark.parametrize(
    ("source", "provider"),
    [
        (ArchiveSource(), "S3"),
        (CodeCommitSource(repository="models"), "CodeCommit"),
        (
            CodeConnectionsSource(connection_arn=CONNECTION, owner="team", repository="models"),
            "CodeStarSourceConnection",
        ),
    ],
)
def test_git_is_neutral(source, provider):
    stack = Stack(App(), "Stack")
    artefacts = s3.Bucket(stack, "Artefacts", versioned=True)
    action = source_action(
        stack, source=source, artefacts=artefacts, output=codepipeline.Artifact("Code")
    )
    assert action.action_properties.provider == provider
