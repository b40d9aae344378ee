"""The Git remote `local`: a bare repository whose pushes start the embedded AWS's pipeline.

A push is taken only when the pipeline has its code: the hook runs before the branch moves, so that
what was refused can be pushed again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import MachineError, NotThereError
from cli.project import ROOT
from cli.screen import console

if TYPE_CHECKING:
    from cli.target import Target

REMOTE = "local"
BRANCH = "main"
REPOSITORY = ROOT / ".fourblocks" / "repository.git"
SUMMARY_METADATA = "codepipeline-artifact-revision-summary"
"""CodePipeline shows this of an object as what its revision is about."""

HOOK = """#!/bin/sh
# Hands what is pushed to the branch {branch} to the embedded AWS; another branch is only kept.
while read -r old new name; do
  case "$name:$new" in
    refs/heads/{branch}:0000000*) ;;
    refs/heads/{branch}:*)
      cd "{root}" || exit 1
      env -u GIT_DIR "{python}" -m cli.main pipeline receive "{repository}" "$new" || exit 1 ;;
  esac
done
"""


def git(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Git.

    Raises:
        MachineError: it is not installed.

    """
    program = shutil.which("git")
    if program is None:
        message = "git is not installed"
        raise MachineError(message)
    return subprocess.run(  # noqa: S603 - git itself
        [program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False
    )


def serve_remote() -> None:
    """Make the repository, and name it as this clone's remote; a second time changes nothing."""
    if git("rev-parse", "--git-dir").returncode != 0:
        console.print("  no Git repository: there is no remote to push to")
        return
    if not (REPOSITORY / "HEAD").exists():
        REPOSITORY.mkdir(parents=True, exist_ok=True)
        git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", folder=REPOSITORY)
    hook = REPOSITORY / "hooks" / "pre-receive"
    hook.write_text(
        HOOK.format(branch=BRANCH, root=ROOT, python=sys.executable, repository=REPOSITORY),
        encoding="utf-8",
    )
    hook.chmod(0o755)
    known = git("remote", "get-url", REMOTE)
    if known.returncode != 0:
        git("remote", "add", REMOTE, str(REPOSITORY))
    elif known.stdout.strip() != str(REPOSITORY):
        console.print(f"  the remote {REMOTE} is yours, {known.stdout.strip()}; it stays so")
        return
    console.print(f"  git push {REMOTE} {BRANCH} starts the pipeline")


def forget_remote() -> None:
    """Take the remote away; the repository stays, so that the next one knows what was pushed."""
    if git("remote", "get-url", REMOTE).stdout.strip() == str(REPOSITORY):
        git("remote", "remove", REMOTE)


def receive(target: Target, repository: str, commit: str) -> None:
    """Put a commit's files where the pipeline looks for them.

    Raises:
        NotThereError: the commit's archive could not be made.

    """
    bucket = target.output("Foundation", "ArtefactBucketName")
    key = target.output("BuildPipeline", "SourceKey")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "repository.zip"
        made = git(
            "archive", "--format=zip", f"--output={archive}", commit, folder=Path(repository)
        )
        if made.returncode != 0:
            message = f"git archive {commit} failed: {made.stderr.strip()}"
            raise NotThereError(message)
        subject = git("log", "-1", "--format=%s", commit, folder=Path(repository)).stdout.strip()
        summary = f"{commit[:12]} {subject}".encode("ascii", "replace").decode()
        target.client("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=archive.read_bytes(),
            Metadata={SUMMARY_METADATA: summary[:1024]},
        )
    console.print(f"{commit[:12]} is with the pipeline. Follow it: fourblocks pipeline status -f")
