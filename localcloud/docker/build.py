"""Builds an image from a Dockerfile as a folder, with the Python interpreter at hand.

What is real: COPY, ADD of local files, ENV, ARG, WORKDIR, several stages, `RUN python …`,
`RUN pip install …` (into a virtual environment inside the image that sees the packages of this
interpreter, so that what is installed here already is not downloaded again), `RUN mkdir …`,
ENTRYPOINT and CMD. The images of EMR Serverless for Spark are bases too: their Spark is this
machine's, and installing a Python with dnf is noted, since the interpreter at hand stands in for
it. What is noted and left out: users, groups and owners, because processes run as
whoever started the daemon; EXPOSE, LABEL, HEALTHCHECK and their like. Every other command, and
every other base image, is refused.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.docker import dockerfile
from localcloud.docker.dockerfile import DockerError, Instruction, Stage
from localcloud.docker.python_environment import (
    create_environment,
    install_packages,
    interpreter_of,
)
from localcloud.images import Image, ImageStore, inside

_USER_COMMANDS = frozenset(
    {"groupadd", "useradd", "adduser", "addgroup", "usermod", "chown", "chgrp"}
)
_PYTHON = re.compile(r"python3?(\.\d+)?")
_PYTHON_PACKAGE = re.compile(r"python3(\.\d+)?(-(pip|devel|libs))?")
_BASE = re.compile(r"(^|/)(python|emr-serverless/spark/emr-[\d.]+)(:|@|$)")
_PASSED_ON = ("HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_NOTED = frozenset(
    ["USER", "LABEL", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "SHELL", "MAINTAINER"]
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What `docker build` was asked for."""

    context: Path
    file: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None


def digest_of(request: Request) -> str:
    """Return the digest of what determines the image: context, Dockerfile, arguments, Python."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    add(sys.version.encode(), request.file.read_bytes(), (request.target or "").encode())
    for name, value in sorted(request.arguments.items()):
        add(name.encode(), value.encode())
    for path in sorted(each for each in request.context.rglob("*") if not each.is_dir()):
        executable = b"x" if path.stat().st_mode & 0o100 else b"-"
        add(path.relative_to(request.context).as_posix().encode(), executable, path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def build(request: Request, store: ImageStore, say: Say) -> Image:
    """Build the image unless one of the same content exists."""
    digest = digest_of(request)
    existing = store.load(digest)
    if existing:
        say(f"{digest} exists already")
        return existing
    folder = store.folder(digest)
    shutil.rmtree(folder, ignore_errors=True)
    stages = dockerfile.parse(request.file.read_text(), request.arguments)
    built: dict[str, _StageBuild] = {}
    for number, stage in enumerate(stages):
        current = _StageBuild(stage, folder / f"stage-{number}", request, built, say)
        current.run()
        built[stage.name] = built[str(number)] = current
        if request.target in {stage.name, str(number)}:
            break
    image = current.image(digest)
    store.save(image)
    return image


class _StageBuild:
    """One stage being built: its folder and what its instructions have set so far."""

    def __init__(
        self,
        stage: Stage,
        rootfs: Path,
        request: Request,
        earlier: Mapping[str, "_StageBuild"],
        say: Say,
    ) -> None:
        self.rootfs = rootfs
        self.environment: dict[str, str] = {}
        self.entrypoint: tuple[str, ...] = ()
        self.command: tuple[str, ...] = ()
        self._workdir = Path("/")
        self._arguments: dict[str, str] = {}
        self._stage = stage
        self._request = request
        self._earlier = earlier
        self._say = say

    def run(self) -> None:
        """Execute every instruction."""
        self.rootfs.mkdir(parents=True)
        self._from()
        for instruction in self._stage.instructions:
            self._say(f"[{self._stage.name}] {instruction.keyword} {instruction.text}")
            try:
                self._execute(instruction)
            except DockerError as error:
                raise DockerError(f"line {instruction.line}: {error}") from error

    def image(self, digest: str) -> Image:
        """Return the finished image."""
        self._inside(self._workdir).mkdir(parents=True, exist_ok=True)
        return Image(
            rootfs=self.rootfs,
            digest=digest,
            entrypoint=tuple(inside(self.rootfs, word) for word in self.entrypoint),
            cmd=tuple(inside(self.rootfs, word) for word in self.command),
            env={key: inside(self.rootfs, text) for key, text in self.environment.items()},
            workdir=self._inside(self._workdir),
        )

    def _from(self) -> None:
        base = self._stage.base
        if base in self._earlier:
            earlier = self._earlier[base]
            shutil.copytree(earlier.rootfs, self.rootfs, symlinks=True, dirs_exist_ok=True)
            self.environment = dict(earlier.environment)
            self.entrypoint, self.command = earlier.entrypoint, earlier.command
            self._workdir = earlier._workdir  # noqa: SLF001  another of our kind
        elif not _BASE.search(base):
            raise DockerError(
                f"FROM {base}: only python images, EMR Serverless's Spark images and earlier "
                "stages are supported"
            )
        else:
            self.environment["PATH"] = os.environ["PATH"]

    def _execute(self, instruction: Instruction) -> None:
        if instruction.keyword in _NOTED:
            return
        if instruction.keyword == "RUN":
            self._run(instruction.text)
            return
        text = instruction.text
        if instruction.keyword not in {"ENTRYPOINT", "CMD"}:
            text = dockerfile.substitute(text, self._arguments | self.environment)
        actions: dict[str, Callable[[str], None]] = {
            "ARG": self._arg,
            "ENV": self._env,
            "WORKDIR": self._change_workdir,
            "COPY": self._copy,
            "ADD": self._add,
            "ENTRYPOINT": self._entrypoint,
            "CMD": self._cmd,
        }
        actions[instruction.keyword](text)

    def _arg(self, text: str) -> None:
        self._arguments |= dockerfile.argument_values(text, self._request.arguments)

    def _env(self, text: str) -> None:
        self.environment |= dockerfile.assignments(text)

    def _change_workdir(self, text: str) -> None:
        self._workdir = self._workdir / text

    def _entrypoint(self, text: str) -> None:
        self.entrypoint, self.command = dockerfile.command(text), ()

    def _cmd(self, text: str) -> None:
        self.command = dockerfile.command(text)

    def _inside(self, path: Path) -> Path:
        """Return the place of an image's path in its folder; `..` cannot leave it."""
        return self.rootfs / os.path.normpath(f"/{path}").lstrip("/")

    def _add(self, text: str) -> None:
        if "://" in text:
            raise DockerError(f"ADD {text}: only local files are supported; download them before")
        self._copy(text)

    def _copy(self, text: str) -> None:
        options = [each for each in text.split() if each.startswith("--")]
        paths = dockerfile.words(
            " ".join(each for each in text.split() if not each.startswith("--"))
        )
        if len(paths) < 2:  # noqa: PLR2004  a source and a destination
            raise DockerError(f"COPY {text}: needs a source and a destination")
        *sources, destination = paths
        target = self._inside(self._workdir / destination)
        to_folder = destination.endswith(("/", ".")) or len(sources) > 1 or target.is_dir()
        for found in [each for source in sources for each in self._find(source, options)]:
            _copy_into(found, target / found.name if to_folder and found.is_file() else target)

    def _find(self, source: str, options: list[str]) -> list[Path]:
        """Return the files that a source of COPY names, in the context or in another stage."""
        origin = next((each[7:] for each in options if each.startswith("--from=")), None)
        if origin is not None and origin not in self._earlier:
            raise DockerError(f"COPY --from={origin}: no stage before this one has that name")
        root = self._earlier[origin].rootfs if origin else self._request.context
        relative = os.path.normpath(f"/{source}").lstrip("/") or "."
        found = [root] if relative == "." else sorted(root.glob(relative))
        if not found:
            raise DockerError(f"COPY: {source} is not in {origin or 'the build context'}")
        return found

    def _run(self, text: str) -> None:
        """Run the commands of a RUN instruction, joined by `&&`."""
        values = self._arguments | self.environment
        for part in dockerfile.substitute(text, values).split("&&"):
            words = dockerfile.words(part.strip())
            name = Path(words[0]).name
            if name in _USER_COMMANDS:
                self._say(f"  noted, not done (the image runs as you): {part.strip()}")
                continue
            if _installs_python(name, words[1:]):
                self._say(f"  noted, not done (this machine's Python serves): {part.strip()}")
                continue
            self._command(name, [inside(self.rootfs, word) for word in words[1:]])

    def _command(self, name: str, arguments: list[str]) -> None:
        environment = self._run_environment()
        folder = self._inside(self._workdir)
        folder.mkdir(parents=True, exist_ok=True)
        if _PYTHON.fullmatch(name) and arguments[:2] == ["-m", "venv"]:
            create_environment(Path(arguments[-1]))
        elif name in {"pip", "pip3"} or arguments[:2] == ["-m", "pip"]:
            options = arguments if name.startswith("pip") else arguments[2:]
            install_packages(self._python(environment), options, folder, environment)
        elif _PYTHON.fullmatch(name):
            _execute([str(self._python(environment)), *arguments], folder, environment)
        elif name == "mkdir":
            _execute(["mkdir", *arguments], folder, environment)
        else:
            raise DockerError(
                f"RUN {name}: this stand-in runs python, pip and mkdir, and skips dnf of Python "
                f"and {', '.join(sorted(_USER_COMMANDS))}; nothing else"
            )

    def _python(self, environment: Mapping[str, str]) -> Path:
        """Return the image's interpreter; the first use makes an environment for it."""
        found = interpreter_of(self.rootfs, environment["PATH"])
        if found is None:
            home = self.rootfs / "opt" / "image-python"
            create_environment(home)
            self.environment["PATH"] = f"/opt/image-python/bin:{self.environment['PATH']}"
            found = home / "bin" / "python"
        return found

    def _run_environment(self) -> dict[str, str]:
        """Return what a RUN command sees: the image's variables, never the caller's credentials."""
        ours = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        ours |= {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        ours |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        theirs = self._arguments | self.environment
        return ours | {key: inside(self.rootfs, value) for key, value in theirs.items()}


def _installs_python(name: str, arguments: list[str]) -> bool:
    """Tell whether a package manager's command brings only what this machine has."""
    if name not in {"dnf", "yum"}:
        return False
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] == ["clean"]:
        return True
    return words[:1] == ["install"] and all(_PYTHON_PACKAGE.fullmatch(word) for word in words[1:])


def _copy_into(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _execute(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise DockerError(f"{' '.join(command)} ended with status {done.returncode}")
