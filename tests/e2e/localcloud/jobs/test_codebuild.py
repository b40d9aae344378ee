"""Builds of the embedded AWS, by boto3: really run under the project's role, seen as on AWS."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import allow, bucket_rights, eventually

SPECIFICATION = """
version: 0.2
env:
  exported-variables: [VERSION]
phases:
  install:
    commands: [python -c "import sys; assert sys.prefix != sys.base_prefix"]
  build:
    commands:
      - export VERSION=$(cat version.txt)-$SUFFIX
      - aws sts get-caller-identity --query Arn --output text
      - mkdir -p out && cp version.txt out/ && cp results.xml out/
  post_build:
    commands: [test "$CODEBUILD_BUILD_SUCCEEDING" = 1]
reports:
  unit: {files: [results.xml], base-directory: out}
artifacts:
  files: ["out/**/*"]
"""
RESULTS = """<testsuite>
<testcase classname="a" name="good" time="0.5"/>
<testcase classname="a" name="bad" time="0.1"><failure message="1 is not 2"/></testcase>
</testsuite>"""


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("__", "."), text)
    return content.getvalue()


@pytest.fixture(scope="module")
def bucket(cloud):
    return cloud.bucket()


@pytest.fixture
def project(cloud, bucket):
    """Create a project whose source is a zip; its service role may use the bucket alone."""

    def create(specification=SPECIFICATION, **settings):
        name = cloud.name("project")
        source = archive(buildspec__yml=specification, version__txt="7", results__xml=RESULTS)
        cloud.client("s3").put_object(Bucket=bucket, Key=f"{name}.zip", Body=source)
        cloud.client("codebuild").create_project(
            name=name,
            source={"type": "S3", "location": f"{bucket}/{name}.zip"},
            artifacts={
                "type": "S3", "location": bucket, "name": f"{name}-out.zip", "packaging": "ZIP",
            },
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "SUFFIX", "value": "project"}],
            },
            serviceRole=cloud.role("codebuild.amazonaws.com", *bucket_rights(bucket)),
            **settings,
        )  # fmt: skip
        return name

    return create


def run(cloud, project, **overrides):
    """Start a build and wait for its end."""
    builds = cloud.client("codebuild")
    build = builds.start_build(projectName=project, **overrides)["build"]
    assert build["buildStatus"] == "IN_PROGRESS"
    return eventually(
        lambda: builds.batch_get_builds(ids=[build["id"]])["builds"][0],
        lambda found: found["buildComplete"],
    )


def test_a_build_runs_its_phases_under_the_projects_role(cloud, project, bucket):
    name = project()
    overridden = [{"name": "SUFFIX", "value": "build", "type": "PLAINTEXT"}]

    build = run(cloud, name, environmentVariablesOverride=overridden)

    log = cloud.log(build["logs"]["groupName"], build["logs"]["streamName"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert "assumed-role/JobRole" in log
    phases = [phase["phaseType"] for phase in build["phases"]]
    assert phases[-5:] == ["INSTALL", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "COMPLETED"]
    assert build["exportedEnvironmentVariables"] == [{"name": "VERSION", "value": "7-build"}]
    body = cloud.client("s3").get_object(Bucket=bucket, Key=f"{name}-out.zip")["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["out/results.xml", "out/version.txt"]


def test_a_builds_tests_are_a_report(cloud, project):
    build = run(cloud, project())

    builds = cloud.client("codebuild")
    report = builds.batch_get_reports(reportArns=build["reportArns"])["reports"][0]
    cases = builds.describe_test_cases(reportArn=report["arn"], filter={"status": "FAILED"})
    assert report["status"] == "FAILED"
    assert report["testSummary"]["statusCounts"] == {"SUCCEEDED": 1, "FAILED": 1}
    assert [case["message"] for case in cases["testCases"]] == ["1 is not 2"]


COVERAGE = """<coverage line-rate="0.5"><packages><package><classes>
<class filename="a.py"><lines><line number="1" hits="2"/><line number="2" hits="0"/></lines></class>
</classes></package></packages></coverage>"""


def test_what_a_builds_tests_covered_is_a_report(cloud, project):
    report = "reports: {lines: {files: [coverage.xml], file-format: COBERTURAXML}}"
    command = f"echo '{COVERAGE}' > coverage.xml".replace("\n", " ")
    build = run(
        cloud,
        project(
            f"version: 0.2\nphases:\n  build:\n    commands:\n      - {json.dumps(command)}\n"
            f"{report}\nartifacts: {{files: [coverage.xml]}}"
        ),
    )

    builds = cloud.client("codebuild")
    found = builds.batch_get_reports(reportArns=build["reportArns"])["reports"][0]
    files = builds.describe_code_coverages(reportArn=found["arn"])["codeCoverages"]
    assert found["type"] == "CODE_COVERAGE"
    assert found["codeCoverageSummary"]["lineCoveragePercentage"] == 50.0
    assert [(each["filePath"], each["linesMissed"]) for each in files] == [("a.py", 1)]


def test_a_build_has_what_its_image_has_and_what_it_installs(cloud, project):
    probe = "for each in aws git make python docker pytest fourblocks; do command -v $each; done"
    specification = f"version: 0.2\nphases: {{build: {{commands: ['{probe} || true']}}}}\n"
    build = run(cloud, project(f"{specification}artifacts: {{files: [version.txt]}}"))

    log = cloud.log(build["logs"]["groupName"], build["logs"]["streamName"])
    own = str(Path(sys.executable).parent)
    found = [line for line in log.splitlines() if line.startswith("/")]
    assert [Path(line).name for line in found][:4] == ["aws", "git", "make", "python"], log
    assert not [line for line in found if line.startswith(own)]


def test_a_failed_command_fails_the_build_and_is_named(cloud, project):
    build = run(cloud, project("version: 0.2\nphases: {build: {commands: [ls /nowhere]}}"))

    failed = next(phase for phase in build["phases"] if phase["phaseStatus"] == "FAILED")
    assert build["buildStatus"] == "FAILED"
    assert failed["phaseType"] == "BUILD"
    assert "ls /nowhere. Reason: exit status 2" in failed["contexts"][0]["message"]


def test_a_wrong_specification_fails_before_any_command(cloud, project):
    build = run(cloud, project("version: 0.2\nphases: {compile: {commands: [a]}}"))

    messages = [c["message"] for phase in build["phases"] for c in phase.get("contexts", [])]
    assert build["buildStatus"] == "FAILED"
    assert any("phases.compile" in message for message in messages)


def test_what_the_role_may_not_do_fails_the_build(cloud, project):
    build = run(cloud, project("version: 0.2\nphases: {build: {commands: [aws iam list-roles]}}"))

    log = cloud.log(build["logs"]["groupName"], build["logs"]["streamName"])
    assert build["buildStatus"] == "FAILED"
    assert "AccessDenied" in log


def test_a_running_build_can_be_stopped(cloud, project):
    waits = "version: 0.2\nphases: {build: {commands: [echo begun; sleep 600]}}"
    builds = cloud.client("codebuild")
    started = builds.start_build(projectName=project(waits))["build"]

    def look():
        return builds.batch_get_builds(ids=[started["id"]])["builds"][0]

    eventually(look, lambda found: found["currentPhase"] == "BUILD")
    builds.stop_build(id=started["id"])
    stopped = eventually(look, lambda found: found["buildComplete"])
    assert stopped["buildStatus"] == "STOPPED"


def test_whoever_starts_a_build_needs_the_right_to(cloud, project):
    name = project()
    stranger = cloud.client("codebuild", cloud.assume(allow("codebuild:BatchGetBuilds")))

    with pytest.raises(ClientError, match="codebuild:StartBuild"):
        stranger.start_build(projectName=name)


def test_a_cache_outlives_its_build(cloud, project):
    name = project(
        "version: 0.2\nphases: {build: {commands: [mkdir -p kept, date +%N >> kept/moments]}}\n"
        "artifacts: {files: [kept/moments]}\ncache: {paths: ['kept/**/*']}",
        cache={"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
    )

    assert [run(cloud, name)["buildStatus"] for _ in range(2)] == ["SUCCEEDED", "SUCCEEDED"]

    bucket = cloud.client("codebuild").batch_get_projects(names=[name])["projects"][0]
    location = bucket["artifacts"]["location"]
    body = cloud.client("s3").get_object(Bucket=location, Key=f"{name}-out.zip")["Body"].read()
    moments = zipfile.ZipFile(io.BytesIO(body)).read("kept/moments").split()
    assert len(moments) == 2
