"""Script mode: the user's code is fetched, told everything by `SM_*`, and run.

Hyperparameters arrive JSON-encoded, as the SageMaker SDK sends them; those named `sagemaker_*`
steer the container, the others become the script's command line.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tarfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from localcloud.sagemaker.algorithms.container import Container, UserError, say
from localcloud.sagemaker.algorithms.script_environment import arguments, environment
from localcloud.sagemaker.algorithms.script_server import serve_script

# Not for the script: what steers the container, and what a tuning job adds.
STEERING = ("sagemaker_", "_tuning_objective_metric")
PROGRAM = "sagemaker_program"
DIRECTORY = "sagemaker_submit_directory"
ARCHIVE_CHANNELS = "/opt/ml/"
LINES_OF_ERROR = 40


def train(container: Container, framework: str) -> None:
    """Run the script to its end."""
    decoded = {name: _decoded(text) for name, text in container.hyperparameters().items()}
    own = {name: value for name, value in decoded.items() if not name.startswith(STEERING)}
    steering = {name: value for name, value in decoded.items() if name.startswith(STEERING)}
    program = str(steering.get(PROGRAM) or container.environment.get("SAGEMAKER_PROGRAM", ""))
    folder = container.base / "code"
    directory = steering.get(DIRECTORY) or container.environment.get("SAGEMAKER_SUBMIT_DIRECTORY")
    fetch(container, str(directory or ""), folder)
    _check_program(folder, program)
    install_requirements(folder)
    variables = environment(container, own, steering, framework=framework, folder=folder)
    command = [sys.executable, program, *arguments(own)]
    say(f"INFO Invoking script: {program} {' '.join(arguments(own))}".rstrip())
    _run(command, folder, variables)


def serve(container: Container) -> None:
    """Serve with the functions that the script defines."""
    given = container.environment
    folder = container.base / "code"
    packed = container.model_folder / "code"
    directory = given.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if not directory and packed.is_dir():
        folder = packed
    else:
        fetch(container, directory, folder)
    program = given.get("SAGEMAKER_PROGRAM", "inference.py")
    _check_program(folder, program)
    install_requirements(folder)
    serve_script(container, folder / program)


def fetch(container: Container, source: str, folder: Path) -> None:
    """Bring the script's archive, from S3 or from a folder of the container, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if not source:
        raise UserError(f"Hyperparameter {DIRECTORY} is required: the archive with the script")
    if source.startswith(ARCHIVE_CHANNELS):
        source = str(container.base / source.removeprefix(ARCHIVE_CHANNELS))
    if source.startswith("s3://"):
        archive = container.base / "sourcedir.tar.gz"
        parts = urlsplit(source)
        boto3.client("s3").download_file(parts.netloc, parts.path.lstrip("/"), str(archive))
        source = str(archive)
    if Path(source).is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
    else:
        _unpack(source, folder)


def _unpack(source: str, folder: Path) -> None:
    try:
        with tarfile.open(source) as archive_file:
            archive_file.extractall(folder)  # noqa: S202 - the user's code, about to be run
    except (tarfile.TarError, OSError) as error:
        raise UserError(f"{source} is not a tar archive with the script: {error}") from error


def install_requirements(folder: Path) -> None:
    """Install what a requirements.txt beside the script names, for this container alone."""
    file = folder / "requirements.txt"
    if not file.is_file():
        return
    say(f"INFO Installing dependencies from {file.name}")
    target = ["--target", str(folder), "--requirement", str(file)]
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--quiet", *target]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode != 0:
        raise UserError(f"InstallRequirementsError: {done.stderr.strip()[-800:]}")


def _check_program(folder: Path, program: str) -> None:
    if not program.endswith(".py") or not (folder / program).is_file():
        held = ", ".join(sorted(f.name for f in folder.iterdir())) or "nothing"
        raise UserError(
            f"Entry point {program!r} is not a Python file in the archive, which holds {held}"
        )


def _run(command: list[str], folder: Path, variables: Mapping[str, str]) -> None:
    last: deque[str] = deque(maxlen=LINES_OF_ERROR)
    # The whole group gets a SIGTERM: the script alone decides how it ends.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with subprocess.Popen(  # noqa: S603 - the user's script is the point
        command,
        cwd=folder,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            last.append(line)
    code = process.returncode
    if code:
        message = "".join(last).strip()[-600:]
        raise UserError(
            f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"\n'
            f'Command "{" ".join([Path(command[0]).name, *command[1:]])}"',
            code if code > 0 else 128 - code,
        )


def _decoded(text: str) -> Any:
    """Read a hyperparameter as the SDK wrote it; plain text stands for itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
