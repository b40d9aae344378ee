"""The solver's wheel for the functions' platform: fetched once, checked by the digest that we pin.

Set-up runs this module, so that synthesis needs no network.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PINNED = Path(__file__).with_name("solver-layer.txt")
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "solver-layer"
FUNCTIONS_PLATFORM = "manylinux2014_aarch64"


class SolverUnavailableError(RuntimeError):
    """The solver's wheel for another platform could not be fetched."""


def fetched(platform: str) -> Path:
    """Give the unpacked package for a platform."""
    digest = hashlib.sha256(PINNED.read_bytes()).hexdigest()
    folder = CACHE / f"{platform}-{digest[:16]}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            _download(platform, scratch)
            (wheel,) = Path(scratch).glob("*.whl")
            unpacked = Path(scratch) / "unpacked"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
            _put(unpacked, folder)
    (package,) = folder.glob("*.data/purelib/highsbox")
    return package


def _put(unpacked: Path, folder: Path) -> None:
    """Put it there at once: whoever else looks finds all of it or nothing."""
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another synthesis was quicker
            raise


def _download(platform: str, folder: str) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
        "--only-binary=:all:", "--platform", platform, "--dest", folder,
        "--requirement", str(PINNED),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        reason = f"The solver for {platform} could not be fetched: {done.stderr.strip()}"
        raise SolverUnavailableError(reason)


if __name__ == "__main__":
    fetched(FUNCTIONS_PLATFORM)
