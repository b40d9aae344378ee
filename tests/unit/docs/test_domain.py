"""The domain's word stays in the use case's folder, its tests and the choice of the use case."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stacks.config.environments import USE_CASE

ROOT = Path(__file__).resolve().parents[3]
WORD = USE_CASE.split("_", maxsplit=1)[0]
CHOICE = {"stacks/config/environments.py"}


def _tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_only_the_use_case_and_its_tests_speak_of_the_domain():
    speaking = {
        name
        for name in _tracked()
        if not name.startswith(("use_cases/", "tests/"))
        and WORD in (ROOT / name).read_text(encoding="utf-8", errors="replace").lower()
    }

    assert speaking - CHOICE == set()
