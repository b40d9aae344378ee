"""`fourblocks deploy`: the real CDK CLI, bootstrapped when needed, told in one line a stack."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from cli.errors import MachineError, RefusedError
from cli.project import CACHE, ROOT, Finished, run_streaming, tool
from cli.screen import console, one_step
from cli.target import describe_stack

if TYPE_CHECKING:
    from pathlib import Path

    from cli.screen import StepDisplay
    from cli.target import Target

UNKNOWN_COMMIT = "unknown"
TOOLKIT_STACK = "CDKToolkit"
NEEDED_BYTES = 1024**3
STACK_DONE = re.compile(r"✅\s+(?P<stack>\S+)(?P<rest>.*)$")


def deploy(target: Target) -> None:
    """Bootstrap the account when needed, then deploy every stack of the environment."""
    check_disk()
    bootstrap_when_needed(target)
    with one_step(f"cdk deploy ({target.environment})") as step:
        command = [
            *("deploy", "**", "--require-approval", "never", "--progress", "events"),
            *("--context", f"environment={target.environment}"),
            *("--context", f"commit={current_commit()}"),
            *("--output", str(ROOT / "build" / "cdk" / target.environment)),
        ]
        finished = run_cdk(target, command, step)
    tell_stacks(finished)


def current_commit(folder: Path = ROOT) -> str:
    """Name the commit that is deployed, `-dirty` when files differ from it; else `unknown`."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return UNKNOWN_COMMIT
    describe = [
        git,
        "-C",
        str(folder),
        "describe",
        "--always",
        "--abbrev=40",
        "--dirty",
        "--exclude=*",
    ]
    finished = subprocess.run(describe, capture_output=True, text=True, check=False)  # noqa: S603 - git itself
    return finished.stdout.strip() or UNKNOWN_COMMIT


def bootstrap_when_needed(target: Target) -> None:
    """Run `cdk bootstrap` where the account and region have no toolkit stack.

    It runs outside the project's folder, where it finds no app that it would synthesise first.
    """
    toolkit = describe_stack(target.client("cloudformation"), TOOLKIT_STACK)
    if toolkit is not None and toolkit["StackStatus"].endswith("_COMPLETE"):
        return
    account = target.client("sts").get_caller_identity()["Account"]
    with one_step(f"cdk bootstrap (account {account}, {target.region})") as step:
        run_cdk(target, ["bootstrap", f"aws://{account}/{target.region}"], step, CACHE)


def run_cdk(
    target: Target, arguments: list[str], step: StepDisplay, folder: Path = ROOT
) -> Finished:
    """Run the CDK CLI; its whole output is in `.cache/cdk.log`."""
    finished = run_streaming(
        [tool("cdk"), *arguments],
        on_line=step.say,
        log_name="cdk.log",
        environment=session_environment(target),
        folder=folder,
    )
    if finished.returncode != 0:
        message = f"cdk {arguments[0]} failed (full output: .cache/cdk.log):\n{finished.output}"
        raise RefusedError(message)
    return finished


def session_environment(target: Target) -> dict[str, str]:
    """Give a child process the session's profile and region."""
    variables = {"AWS_REGION": target.region, "AWS_DEFAULT_REGION": target.region}
    profile = target.session.profile_name
    if not target.is_local and profile and profile != "default":
        variables["AWS_PROFILE"] = profile
    return variables


def tell_stacks(finished: Finished) -> None:
    """Print what became of each stack."""
    for line in finished.lines:
        found = STACK_DONE.search(line)
        if found:
            console.print(f"    {found['stack']}{found['rest']}", markup=False)


def check_disk() -> None:
    """Refuse to begin a deployment that the disk cannot hold."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        message = (
            f"Not enough disk space: {ROOT} has {free / 1024**3:.2f} GB free, "
            "a deployment needs 1 GB. Free some space and run the same command again."
        )
        raise MachineError(message)
