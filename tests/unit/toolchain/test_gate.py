"""The gate judges the project's files alone, also in a build, whose source is no Git repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline_code.build_pipeline.fingerprints import NEVER

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("folder", "status"), [*((each, 0) for each in NEVER), ("stacks/", 1)])
def test_what_a_build_makes_beside_its_source_is_not_judged(tmp_path, folder, status):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / folder / "package" / "module.py"
    file.parent.mkdir(parents=True)
    file.write_text("import os\n")

    command = [Path(sys.executable).with_name("ruff"), "check", "--no-cache", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == status, done.stdout
