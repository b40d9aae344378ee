"""HiGHS as a layer: its one shared library, for the platform that the functions run on."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.assets import REPOSITORY
from stacks.config.model import FunctionPlatform

_REQUIREMENT = REPOSITORY / "requirements" / "solver-layer.txt"
_CACHE = REPOSITORY / ".cache" / "solver-layer"
_LIBRARY = Path("highs_dist", "lib")


class SolverUnavailableError(RuntimeError):
    """The solver's wheel for another platform could not be fetched."""


class SolverLayer(lambda_.LayerVersion):
    """What of the package highsbox is needed to solve: 6 MB of 60."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: FunctionPlatform) -> None:
        package = _installed() if platform == "host" else _fetched(platform)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "python" / "highsbox"
            (target / _LIBRARY).mkdir(parents=True)
            (target / "__init__.py").write_text('"""HiGHS\'s shared library."""\n')
            for library in sorted((package / _LIBRARY).glob("libhighs.*")):
                # Stored without symbolic links, and with one mode: its digest is its content's.
                shutil.copyfile(library, target / _LIBRARY / library.name)
            super().__init__(
                scope,
                construct_id,
                code=lambda_.Code.from_asset(folder),
                description="HiGHS, the solver of decisions",
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            )


def _installed() -> Path:
    """Give the package of the environment that synthesises."""
    found = importlib.util.find_spec("highsbox")
    if found is None or found.origin is None:
        raise SolverUnavailableError("highsbox is not installed. Run: make install")
    return Path(found.origin).parent


def _fetched(platform: str) -> Path:
    """Give the package for another platform: downloaded once, checked by the digest we pin."""
    folder = _CACHE / platform / _REQUIREMENT.read_text(encoding="utf-8").split()[-1][-16:]
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            _download(platform, scratch)
            (wheel,) = Path(scratch).glob("*.whl")
            unpacked = Path(scratch) / "unpacked"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(unpacked), str(folder))
    (package,) = folder.glob("*.data/purelib/highsbox")
    return package


def _download(platform: str, folder: str) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
        "--only-binary=:all:", "--platform", platform, "--dest", folder,
        "--requirement", str(_REQUIREMENT),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        reason = f"The solver for {platform} could not be fetched: {done.stderr.strip()}"
        raise SolverUnavailableError(reason)
