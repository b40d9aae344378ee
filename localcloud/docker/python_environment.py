"""Virtual environments inside images that share what this interpreter has installed.

A `.pth` file lets the environment import the packages of the interpreter at hand, and symbolic
links show them in its own site-packages, where programs may look for their files. pip never sees
the links: they are taken away while it runs, so that it never installs into what is shared.
"""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcloud.docker.dockerfile import DockerError

_SHARED = "packages_of_this_machine.pth"
_NOT_SHARED = ("__pycache__", "_virtualenv", "__editable__", "distutils-precedence")


def create_environment(home: Path) -> None:
    """Make a virtual environment that sees the packages of this interpreter."""
    venv.create(home, symlinks=True, with_pip=False)
    (_site_packages(home) / _SHARED).write_text(f"{sysconfig.get_paths()['purelib']}\n")
    _show_shared(home)


def interpreter_of(rootfs: Path, search_path: str) -> Path | None:
    """Return the first interpreter on an image's PATH that lies inside the image."""
    folders = (Path(each) for each in search_path.split(":"))
    candidates = (each / "python" for each in folders if each.is_relative_to(rootfs))
    return next((each for each in candidates if each.exists()), None)


def install_packages(
    python: Path, options: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> None:
    """Run pip for an image's environment, with the arguments of the Dockerfile."""
    home = python.parents[1]
    _hide_shared(home)
    command = [sys.executable, "-m", "pip", "--python", str(python), *options]
    done = subprocess.run(command, cwd=folder, env=environment, check=False)  # noqa: S603
    _show_shared(home)
    if done.returncode:
        raise DockerError(f"pip {' '.join(options)} ended with status {done.returncode}")


def _site_packages(home: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return home / "lib" / version / "site-packages"


def _show_shared(home: Path) -> None:
    own = _site_packages(home)
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        link = own / entry.name
        if not entry.name.startswith(_NOT_SHARED) and entry.suffix != ".pth" and not link.exists():
            link.symlink_to(entry)


def _hide_shared(home: Path) -> None:
    for entry in _site_packages(home).iterdir():
        if entry.is_symlink():
            entry.unlink()
