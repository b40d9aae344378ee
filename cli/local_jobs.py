"""Training and processing jobs as processes of this machine, in folders as SageMaker lays them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

from cli.errors import RefusedError
from cli.project import ROOT, python_module, tool_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ARCHIVE = "model.tar.gz"
TAIL_LINES = 5
CREDENTIALS = "AWS_"
"""Variables that begin so say who we are and where the platform is: no job needs to know."""
CONTAINER = ("pipeline_code.container", "train")
IMAGES = {
    name: ("localcloud.sagemaker.algorithms", program, "train")
    for name, program in {
        "xgboost": "xgboost",
        "linear-learner": "linear_learner",
        "sklearn": "scikit_learn",
    }.items()
}
"""Programs that honour the contract of AWS's own images."""


def run_module(what: str, command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Run a module of the project; give what it printed.

    Raises:
        RefusedError: it failed; the message is what it said last.

    """
    inherited = {k: v for k, v in tool_environment().items() if not k.startswith(CREDENTIALS)}
    done = subprocess.run(  # noqa: S603 - fixed modules of this project
        python_module(*command),
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-TAIL_LINES:]
        message = f"{what}: {os.linesep.join(tail)}" if what else "\n".join(tail)
        raise RefusedError(message)
    return done.stdout


def run_job(what: str, command: tuple[str, ...], base: Path) -> None:
    """Run a job in its folder.

    Raises:
        RefusedError: it failed; the message is the reason that SageMaker would give.

    """
    try:
        run_module(what, command, {"SAGEMAKER_BASE_DIR": str(base)})
    except RefusedError as error:
        for name in ("failure", "message"):
            reason = base / "output" / name
            if reason.is_file():
                raise RefusedError(f"{what}: {reason.read_text(encoding='utf-8')}") from error
        raise


def process(what: str, module: str, base: Path, inputs: Mapping[str, Path]) -> Path:
    """Run a processing job; give the folder of its outputs."""
    folder = base / "processing" / "input"
    folder.mkdir(parents=True)
    for name, source in inputs.items():
        put(source, folder / name)
    run_job(what, (module,), base)
    return base / "processing" / "output"


def train(
    what: str,
    command: tuple[str, ...],
    base: Path,
    hyperparameters: Mapping[str, str],
    channels: Mapping[str, Path],
    content_type: str | None = None,
) -> Path:
    """Run a training job; give its artefact, packed."""
    config, data = base / "input" / "config", base / "input" / "data"
    for folder in (config, data, base / "model", base / "output" / "data"):
        folder.mkdir(parents=True)
    for name, source in channels.items():
        put(source, data / name)
    described = {name: _described(name, content_type) for name in channels}
    _write(config / "inputdataconfig.json", described)
    _write(config / "hyperparameters.json", hyperparameters)
    run_job(what, command, base)
    archive = base / ARCHIVE
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(base / "model", arcname=".")
    return archive


def _described(channel: str, content_type: str | None) -> dict[str, str]:
    typed = {"ContentType": content_type} if content_type and channel != "code" else {}
    return {**typed, "TrainingInputMode": "File"}


def put(source: Path, place: Path) -> None:
    """Let a job find a folder, or a file in a folder, as one of its channels."""
    if source.is_dir():
        place.symlink_to(source)
        return
    place.mkdir()
    shutil.copyfile(source, place / source.name)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")
