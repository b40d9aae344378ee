"""The remote `local`: made once, the user's own is left alone, a refused push changes nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli import git_remote


def git(folder, *arguments, check=True):
    person = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command = ["git", *person, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=check)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone, and the folder in which its remote will lie."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "a.txt").write_text("a")
    git(folder, "add", "a.txt")
    git(folder, "commit", "--quiet", "--message", "first")
    monkeypatch.setattr(git_remote, "ROOT", folder)
    monkeypatch.setattr(git_remote, "REPOSITORY", tmp_path / "served.git")
    real = git_remote.git
    monkeypatch.setattr(
        git_remote, "git", lambda *arguments, folder=folder: real(*arguments, folder=folder)
    )
    return folder


def remotes(folder):
    return git(folder, "remote", "--verbose").stdout


def test_it_is_made_once_and_taken_away(clone):
    git_remote.serve_remote()
    git_remote.serve_remote()
    assert remotes(clone).count("local") == 2  # fetch and push

    git_remote.forget_remote()
    assert remotes(clone) == ""


def test_a_remote_of_that_name_that_is_the_users_own_stays(clone):
    git(clone, "remote", "add", "local", "https://example.org/own.git")

    git_remote.serve_remote()
    git_remote.forget_remote()

    assert "https://example.org/own.git" in remotes(clone)


def hook(monkeypatch, program):
    """Let the hook run a program of the test in the command's place."""
    monkeypatch.setattr(
        git_remote, "HOOK", git_remote.HOOK.replace("-m cli.main", f"-c '{program}'")
    )


def test_a_push_that_the_pipeline_did_not_take_is_refused_and_can_be_repeated(clone, monkeypatch):
    template = git_remote.HOOK
    hook(monkeypatch, 'import sys; sys.exit("error: nothing is deployed yet")')
    git_remote.serve_remote()

    refused = git(clone, "push", "local", "main", check=False)

    assert refused.returncode != 0
    assert "nothing is deployed yet" in refused.stderr
    monkeypatch.setattr(git_remote, "HOOK", template)
    hook(monkeypatch, 'import sys; print("took", sys.argv[-1])')
    git_remote.serve_remote()
    taken = git(clone, "push", "local", "main")
    commit = git(clone, "rev-parse", "HEAD").stdout.strip()
    assert f"took {commit}" in taken.stderr


def test_another_branch_is_kept_and_starts_nothing(clone, monkeypatch):
    hook(monkeypatch, 'import sys; sys.exit("error: called")')
    git_remote.serve_remote()

    assert "called" not in git(clone, "push", "local", "main:refs/heads/idea").stderr


def test_what_is_handed_on_is_the_commits_files_with_its_summary(clone, target, monkeypatch):
    s3 = target.client("s3")
    s3.create_bucket(Bucket="artefacts")
    target.deployed["Foundation"] = {"ArtefactBucketName": "artefacts"}
    target.deployed["BuildPipeline"] = {"SourceKey": "source/repository.zip"}
    commit = git(clone, "rev-parse", "HEAD").stdout.strip()

    git_remote.receive(target, str(clone / ".git"), commit)

    stored = s3.get_object(Bucket="artefacts", Key="source/repository.zip")
    summary = stored["Metadata"]["codepipeline-artifact-revision-summary"]
    assert summary == f"{commit[:12]} first"
    assert stored["Body"].read().startswith(b"PK")
    assert sys.executable in git_remote.HOOK.format(
        branch="main", root="/r", python=sys.executable, repository="/b"
    )
