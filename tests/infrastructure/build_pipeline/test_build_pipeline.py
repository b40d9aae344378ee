"""The build pipeline: one chain of environments, builds with few rights, an update of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from aws_cdk import App, Stack
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from pipeline_code.build_pipeline.assemblies import AssemblyError, file_digests, image_source
from pipeline_code.build_pipeline.contract import Variable, of_environment
from stacks.build_pipeline.source import push_triggers, source_action
from stacks.common.image import ModelImage
from stacks.config.environments import ENVIRONMENTS
from stacks.config.model import ArchiveSource, CodeCommitSource, CodeConnectionsSource
from tests.infrastructure.definitions import statements_of, text_of

REPOSITORY = Path(__file__).resolve().parents[3]
SPECIFICATIONS = REPOSITORY / "pipeline_code" / "build_pipeline"
BLOCK = "BuildPipeline"
CONNECTION = "arn:aws:codeconnections:us-east-1:123456789012:connection/x"
BOOTSTRAP = {"deploy", "file-publishing", "image-publishing", "lookup"}


@pytest.fixture(scope="module")
def dev(synthesise):
    return synthesise("dev")


def pipeline_of(synthesis):
    ((_, node),) = synthesis.resources(BLOCK, "AWS::CodePipeline::Pipeline").items()
    return node["Properties"]


def stages_of(synthesis):
    return {stage["Name"]: stage for stage in pipeline_of(synthesis)["Stages"]}


def actions_of(stage):
    return [each["Name"] for each in sorted(stage["Actions"], key=lambda each: each["RunOrder"])]


def test_a_push_passes_one_stage_after_the_other(local, dev):
    before = ["Source", "Build", "UpdatePipeline", "Test", "Image"]
    assert list(stages_of(local)) == [*before, "Local"]
    assert list(stages_of(dev)) == [*before, "Dev", "Staging", "Prod"]
    assert pipeline_of(dev)["PipelineType"] == "V2"
    assert pipeline_of(dev)["ExecutionMode"] == "QUEUED"


def test_an_environment_is_deployed_trained_and_proved_and_goes_back_when_that_fails(dev):
    stages = stages_of(dev)
    assert actions_of(stages["Dev"]) == ["Deploy", "Train", "Verify"]
    for name in ("Dev", "Staging", "Prod"):
        assert stages[name]["OnFailure"] == {"Result": "ROLLBACK"}


def test_a_person_releases_what_goes_beyond_the_first_environment(dev):
    for name in ("Staging", "Prod"):
        stage = stages_of(dev)[name]
        assert actions_of(stage) == ["Approve", "Deploy", "Train", "Verify"]
        asked = stage["Actions"][0]["Configuration"]["CustomData"]
        assert "#{Change.COMMIT}" in asked
        assert "#{Image.IMAGE_URI}" in asked


def test_every_environment_is_deployed_from_the_same_files(dev):
    inputs = {
        name: next(
            [given["Name"] for given in action["InputArtifacts"]]
            for action in stages_of(dev)[name]["Actions"]
            if action["Name"] == "Deploy"
        )
        for name in ("Dev", "Staging", "Prod")
    }
    assert list(inputs.values()) == [["Code", "Release"]] * 3


def test_dev_and_prod_are_made_of_the_same_files(dev, prod):
    assert file_digests(dev.folder) == file_digests(prod.folder)
    assert len(file_digests(dev.folder)) > 5


def test_an_image_of_the_pipeline_is_named_by_its_digest_and_built_no_more():
    uri = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/images@sha256:{'a' * 64}"
    app = App()
    stack = Stack(app, "Stack")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    image = ModelImage(stack, "Image", digest_uri=uri)
    image.grant_pull(role)
    assembly = Path(app.synth().directory)

    assert image.uri == uri
    with pytest.raises(AssemblyError):
        image_source(assembly, "pipeline_code/Dockerfile")
    template = json.loads((assembly / "Stack.template.json").read_text())
    pulled = json.dumps(template["Resources"])
    assert ":ecr:eu-west-1:123456789012:repository/images" in pulled
    assert "container-assets" in pulled, "models of a deployment by hand are served on"


def test_a_stage_is_skipped_where_the_push_changed_nothing_that_it_is_for(dev):
    found = {}
    for name, stage in stages_of(dev).items():
        for condition in stage.get("BeforeEntry", {}).get("Conditions", []):
            (rule,) = condition["Rules"]
            assert condition["Result"] == "SKIP"
            found[name] = rule["Configuration"]["Variable"]
            assert (rule["Configuration"]["Operator"], rule["Configuration"]["Value"]) == (
                "EQ",
                "true",
            )
    assert found == {
        "UpdatePipeline": "#{Change.UPDATES_PIPELINE}",
        "Image": "#{Change.DEPLOYS}",
        "Dev": "#{Change.DEPLOYS_DEV}",
        "Staging": "#{Change.DEPLOYS_STAGING}",
        "Prod": "#{Change.DEPLOYS_PROD}",
    }


def test_the_build_puts_out_every_variable_that_a_condition_asks_for():
    specification = yaml.safe_load((SPECIFICATIONS / "build.yml").read_text())
    exported = set(specification["env"]["exported-variables"])
    wanted = {Variable.COMMIT, Variable.DEPLOYS, Variable.UPDATES_PIPELINE}
    for environment in ENVIRONMENTS:
        wanted |= {of_environment(each, environment) for each in ("DEPLOYS", "TRAINS")}
    assert exported == wanted


def test_the_pipeline_starts_anew_when_it_has_updated_itself(local):
    assert pipeline_of(local)["RestartExecutionOnUpdate"] is True


def test_the_pipelines_template_says_nothing_of_a_commit(local):
    assert "commit" not in json.dumps(local.templates[BLOCK]["Outputs"]).lower()
    assert "unknown" not in json.dumps(local.templates[BLOCK])


def test_a_new_zip_starts_the_pipeline(local):
    ((_, rule),) = local.resources(BLOCK, "AWS::Events::Rule").items()
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["detail"]["object"] == {"key": ["source/repository.zip"]}


def test_every_project_runs_a_specification_of_the_repository(dev):
    projects = dev.resources(BLOCK, "AWS::CodeBuild::Project").values()
    files = {node["Properties"]["Source"]["BuildSpec"] for node in projects}
    assert {Path(file).name for file in files} == {
        path.name for path in SPECIFICATIONS.glob("*.yml")
    }
    for file in files:
        specification = yaml.safe_load((REPOSITORY / file).read_text())
        assert specification["version"] == 0.2
        assert specification["phases"]["build"]["commands"]


def roles_taken(synthesis):
    """By project: the kinds of roles that its builds may assume."""
    taken = {}
    for logical_id, node in synthesis.resources(BLOCK, "AWS::CodeBuild::Project").items():
        role = node["Properties"]["ServiceRole"]["Fn::GetAtt"][0]
        for actions, resources in statements_of(synthesis.templates[BLOCK], role):
            if actions == {"sts:AssumeRole"}:
                taken[logical_id.split("Project")[0]] = {
                    each.split(":role/")[1] for each in resources
                }
    return taken


def kinds(names):
    return {name.split("cdk-hnb659fds-")[1].split("-role")[0] for name in names}


def test_builds_may_take_the_roles_that_they_are_for_and_no_others(dev):
    taken = roles_taken(dev)
    deploys = {name for name in taken if "Deploy" in name or "Update" in name}
    assert len(deploys) == 4
    for name in deploys:
        assert kinds(taken.pop(name)) == BOOTSTRAP
    for environment in ("dev", "staging", "prod"):
        prefix = f"fourblocks-{environment}-release"
        stage = f"Release{environment.capitalize()}"
        assert taken.pop(f"{stage}Train") == {f"{prefix}-data", f"{prefix}-training"}
        assert taken.pop(f"{stage}Verify") == {f"{prefix}-inference"}
    assert taken == {}


def test_no_build_has_a_right_on_data_or_models(dev):
    for node in dev.resources(BLOCK, "AWS::CodeBuild::Project").values():
        role = node["Properties"]["ServiceRole"]["Fn::GetAtt"][0]
        for actions, resources in statements_of(dev.templates[BLOCK], role):
            assert not {each for each in actions if each.startswith(("dynamodb:", "sagemaker:"))}
            if any(each.startswith("s3:") for each in actions):
                assert all("Artefacts" in text_of(each) for each in resources), resources


def test_only_the_image_is_built_where_docker_may_run(dev):
    privileged = [
        name
        for name, node in dev.resources(BLOCK, "AWS::CodeBuild::Project").items()
        if node["Properties"]["Environment"]["PrivilegedMode"]
    ]
    assert len(privileged) == 1
    assert privileged[0].startswith("ReleaseImage")


def test_images_are_never_overwritten_and_scanned_where_the_registry_can(local, dev):
    for synthesis, scans in ((local, False), (dev, True)):
        ((_, node),) = synthesis.resources("Foundation", "AWS::ECR::Repository").items()
        assert node["Properties"]["ImageTagMutability"] == "IMMUTABLE"
        assert node["Properties"]["ImageScanningConfiguration"]["ScanOnPush"] is scans


def test_an_environment_without_a_pipeline_has_no_images_of_its_own(prod):
    assert prod.resources("Foundation", "AWS::ECR::Repository") == {}
    assert BLOCK not in prod.templates


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


def test_a_connection_listens_to_the_branch_and_the_paths_of_the_config():
    source = CodeConnectionsSource(
        connection_arn=CONNECTION, owner="team", repository="models", ignored_paths=("notes/**",)
    )
    stack = Stack(App(), "Stack")
    artefacts = s3.Bucket(stack, "Artefacts", versioned=True)
    code = codepipeline.Artifact("Code")
    action = source_action(stack, source=source, artefacts=artefacts, output=code)
    (trigger,) = push_triggers(source, action)
    (push,) = trigger.git_configuration.push_filter
    assert push.branches_includes == ["main"]
    assert push.file_paths_excludes == ["notes/**"]
    assert push_triggers(ArchiveSource(), action) == []
