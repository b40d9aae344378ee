"""What bandit, detect-secrets and hadolint find is argued for, or it is not there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TOOLS = Path(sys.executable).parent
CODE = (
    "app.py",
    "stacks",
    "lambdas",
    "pipeline_code",
    "use_cases",
    "cli",
    "localcloud",
    "toolchain",
)

FINDINGS = {
    ("B102", "pipeline_code/inference/row_scorer.py"): (
        "It runs code that it wrote itself, from formulas that were parsed and checked."
    ),
    ("B104", "pipeline_code/inference/serve_job.py"): (
        "A container is reached from outside of it; SageMaker is the only one who can."
    ),
    ("B202", "localcloud/codebuild/delivery.py"): "It unpacks what it has packed itself.",
    ("B202", "localcloud/sagemaker/algorithms/script_mode.py"): (
        "An archive of the operator's own code, which runs right afterwards."
    ),
    ("B314", "localcloud/codebuild/report_files.py"): (
        "The XML is written by the operator's own tests."
    ),
}
"""bandit's rules by file, from medium severity and confidence on."""

SECRETS = {"tests/unit/inference/test_container_scorers.py"}
"""Files whose data looks like a token by chance."""

LINT = {
    "pipeline_code/Dockerfile": {"DL3059"},
    "pipeline_code/data_pipeline/Dockerfile": {"DL3007", "DL3041", "DL3066"},
}
"""hadolint's rules by Dockerfile.

DL3059: one step of a Dockerfile is one thing; layers are of a stage that is thrown away. DL3007,
DL3041, DL3066: EMR's base image has one tag a release, its packages no versions that stay, its
user a name alone.
"""


def run(name: str, *arguments: str) -> str:
    answer = subprocess.run(
        [str(TOOLS / name), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode in (0, 1), answer.stderr
    return answer.stdout


def tracked(*patterns: str) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    # A source zip has no history: there all files count.
    files = listing or [
        path.relative_to(REPOSITORY).as_posix()
        for folder in CODE
        for path in REPOSITORY.glob(f"{folder}/**/*")
    ]
    return [name for name in files if (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def bandit() -> set[tuple[str, str]]:
    options = ("--quiet", "--recursive", "-ll", "-ii", "--exclude", "*/bench/*", "--format", "json")
    report = json.loads(run("bandit", *options, *CODE))
    return {(each["test_id"], each["filename"].removeprefix("./")) for each in report["results"]}


def test_bandit_finds_nothing_that_was_not_argued_for(bandit):
    assert bandit - set(FINDINGS) == set()


def test_every_argument_is_about_a_finding(bandit):
    assert set(FINDINGS) - bandit == set()


def test_no_secret_is_in_the_repository():
    suffixes = (".py", ".yaml", ".yml", ".json", ".toml", ".mk", ".md", ".sh", ".cfg", ".txt")
    skipped = re.compile(r"package-lock\.json$|contracts\.lock\.json$|use_cases/[^/]+/fetch\.py$")
    files = [name for name in tracked() if name.endswith(suffixes) and not skipped.search(name)]
    # Secrets are found by their forms: digests are everywhere here, and names are no secrets.
    options = [
        word
        for plugin in ("HexHighEntropyString", "Base64HighEntropyString", "KeywordDetector")
        for word in ("--disable-plugin", plugin)
    ]
    found = json.loads(run("detect-secrets", "scan", "--no-verify", *options, *files))["results"]

    assert set(found) - SECRETS == set(), found


@pytest.mark.parametrize("dockerfile", sorted(LINT))
def test_hadolint_finds_nothing_that_was_not_argued_for(dockerfile):
    found = json.loads(run("hadolint", "--format", "json", dockerfile))

    assert {each["code"] for each in found} == LINT[dockerfile]
