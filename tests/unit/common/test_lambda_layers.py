"""What decides is pure, and what the API's function loads is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LAMBDAS = Path(__file__).parents[3] / "lambdas"
DECIDING = sorted([*LAMBDAS.glob("*/*/logic.py"), *LAMBDAS.glob("*/contract.py")])
CLOSED = ("boto3", "botocore", "os")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: "/".join(path.parts[-3:]))
def test_what_decides_knows_neither_aws_nor_the_environment(path):
    assert not [name for name in imported(path) if name.split(".")[0] in CLOSED]


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: "/".join(path.parts[-3:]))
def test_what_decides_loads_without_aws(path):
    module = ".".join(path.relative_to(LAMBDAS.parent).with_suffix("").parts)
    code = f"import sys, {module}; assert not {{'boto3', 'botocore'}} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=LAMBDAS.parent, check=False)
    assert done.returncode == 0


def test_functions_need_nothing_but_boto3():
    allowed = {*sys.stdlib_module_names, "boto3", "botocore", "lambdas", "pipeline_code"}
    allowed.add("_typeshed")  # for type checkers alone
    allowed.add("yaml")  # of the layer that the check of configurations has
    found = {name.split(".")[0] for path in LAMBDAS.rglob("*.py") for name in imported(path)}
    assert found <= allowed
