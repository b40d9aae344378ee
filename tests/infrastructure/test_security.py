"""cdk-nag and cfn-lint find nothing that was not argued for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from stacks.config.environments import ENVIRONMENTS
from tests.infrastructure.synthesis import blocks_of

MIN_REASON_WORDS = 5
REDUNDANT_DEPENDENCY = "W3005"
"""CDK states that a function depends on its role's policies, and names the role with them."""


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_cdk_nag_has_no_open_finding(environment, synthesise):
    report = AwsSolutionsChecks(synthesise(environment).app).validate_scope(
        synthesise(environment).app
    )
    found = [
        (violation.rule_name, [node.construct_path for node in violation.violating_resources])
        for violation in report.violations
    ]
    assert found == []


def test_every_acknowledgement_carries_a_reason(local):
    tree = [
        (child.node.path, entry.data)
        for child in local.app.node.find_all()
        for entry in child.node.metadata
        if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    ]
    assert tree
    for path, findings in tree:
        for finding, reason in findings.items():
            assert len(reason.split()) >= MIN_REASON_WORDS, (path, finding, reason)


def test_cfn_lint_has_no_finding(synthesise):
    environments = ("local", "dev", "prod")
    folders = [synthesise(environment).folder for environment in environments]
    templates = [str(path) for folder in folders for path in folder.glob("*.template.json")]
    assert len(templates) == sum(len(blocks_of(each)) for each in environments)
    answer = subprocess.run(
        [
            Path(sys.executable).parent / "cfn-lint",
            "--format",
            "json",
            "--ignore-checks",
            REDUNDANT_DEPENDENCY,
            "--regions",
            "us-east-1",
            "--",
            *templates,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    findings = json.loads(answer.stdout or "[]")
    said = [(f["Rule"]["Id"], f["Message"], f["Filename"]) for f in findings]
    assert said == [], answer.stderr
