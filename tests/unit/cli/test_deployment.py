"""What is deployed is named by its commit."""

from __future__ import annotations

import subprocess

from cli.deployment import current_commit


def _git(folder, *words):
    own = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *own, *words], check=True, capture_output=True)


def test_a_folder_without_a_repository_has_no_commit(tmp_path):
    assert current_commit(tmp_path) == "unknown"


def test_a_changed_tree_is_said_to_differ_from_its_commit(tmp_path):
    _git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    _git(tmp_path, "add", "file")
    _git(tmp_path, "commit", "-m", "first")
    _git(tmp_path, "tag", "v1")
    commit = current_commit(tmp_path)
    assert len(commit) == 40

    (tmp_path / "file").write_text("2")

    assert current_commit(tmp_path) == f"{commit}-dirty"
