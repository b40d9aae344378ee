"""The environment of a build's process: its own Python, its variables, its role.

A build finds what an image of CodeBuild has (Python, git, make, the AWS CLI, Docker where it is
privileged) and what it installs itself; never the packages that the embedded AWS runs on.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from localcloud.codebuild.buildspec import Buildspec
from localcloud.documents import Document
from localcloud.jobs.host import Host, client, process_environment
from localcloud.state_folder import StateFolder

_TEMPLATE = threading.Lock()
_TOOLS = ("aws",)
"""Programs of this interpreter's that images of CodeBuild have too."""


_NETWORK = ("PIP_", "npm_config_", "NPM_CONFIG_")
_SETTINGS = {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "npm_config_userconfig": ".npmrc"}


def build_environment(
    host: Host, build: Document, role: Mapping[str, str], specification: Buildspec, folder: Path
) -> dict[str, str]:
    """Make what a build's commands find: nothing of the daemon's, a fresh Python, the role."""
    home = folder / "home"
    home.mkdir()
    python = fresh_python(folder / "python", host.folder("codebuild-cache") / "python")
    own = {
        "HOME": str(home),
        "VIRTUAL_ENV": str(python),
        "PIP_CACHE_DIR": str(host.folder("codebuild-cache", "pip")),
        "npm_config_cache": str(host.folder("codebuild-cache", "npm")),
        **_described(build, role, folder),
    }
    declared = dict(specification.variables)
    declared |= _parameters(specification.parameters, role)
    declared |= _secrets(specification.secrets, role)
    # What a build was started with wins over its specification.
    declared |= dict(_given(build, role))
    environment = process_environment(_network(), dict(role), declared, own)
    return {**environment, **_programs(host, build, python)}


def _network() -> dict[str, str]:
    """Say how this machine reaches package registries: proxies, indexes, certificates."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_NETWORK) or name.lower().endswith("_proxy")
    }
    for name, file in _SETTINGS.items():
        path = Path.home() / file
        if name not in found and path.is_file():
            found[name] = str(path)
    return found


def _programs(host: Host, build: Document, python: Path) -> dict[str, str]:
    """Say where a build finds programs; Docker is there for those that may use it."""
    tools = host.folder("codebuild-cache", "tools")
    for name in _TOOLS:
        program, link = Path(sys.executable).with_name(name), tools / name
        if program.exists() and not link.is_symlink():
            link.symlink_to(program)
    machine = programs_of_machine(os.environ.get("PATH", os.defpath), Path(sys.prefix) / "bin")
    folders = [python / "bin", tools]
    if not build["settings"].get("environment", {}).get("privilegedMode"):
        return {"PATH": os.pathsep.join(map(str, [*folders, *machine]))}
    docker = StateFolder(host.state_folder.parent).docker
    path = os.pathsep.join(map(str, [*folders, docker.parent, *machine]))
    return {"PATH": path, "CDK_DOCKER": str(docker)}


def programs_of_machine(path: str, own: Path) -> list[str]:
    """Leave out of a PATH what is this interpreter's, under whatever name, and of Node projects."""
    return [
        each
        for each in path.split(os.pathsep)
        if Path(each).resolve() != own.resolve() and "node_modules" not in each
    ]


def fresh_python(folder: Path, template: Path) -> Path:
    """Make a virtual environment with pip, which is installed once, in a template, and copied."""
    with _TEMPLATE:
        if not (template / "complete").exists():
            venv.create(template, with_pip=True, clear=True)
            (template / "complete").touch()
    venv.create(folder)
    for packages in template.glob("lib/python*/site-packages"):
        own = folder / packages.relative_to(template)
        # Links, not copies: pip replaces files and changes none in place.
        shutil.copytree(packages, own, dirs_exist_ok=True, copy_function=os.link)
    for script in template.glob("bin/pip*"):
        text = script.read_text("utf-8").replace(str(template), str(folder))
        copied = folder / "bin" / script.name
        copied.write_text(text, encoding="utf-8")
        copied.chmod(script.stat().st_mode)
    return folder


def _described(build: Document, role: Mapping[str, str], folder: Path) -> dict[str, str]:
    settings = build["settings"]
    extra = {
        f"CODEBUILD_SRC_DIR_{each['sourceIdentifier']}": str(
            folder / f"src-{each['sourceIdentifier']}"
        )
        for each in settings.get("secondarySources", [])
    }
    return {
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_LOG_PATH": build["logs"]["streamName"],
        "CODEBUILD_RESOLVED_SOURCE_VERSION": str(settings.get("sourceVersion", "")),
        "CODEBUILD_SOURCE_VERSION": str(settings.get("sourceVersion", "")),
        "CODEBUILD_SRC_DIR": str(folder / "src"),
        "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
        "CI": "true",
        **{name: role[name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if name in role},
        **extra,
    }


def _given(build: Document, role: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in build["settings"].get("environment", {}).get("environmentVariables", []):
        kind, name, value = each.get("type", "PLAINTEXT"), each["name"], each["value"]
        if kind == "PARAMETER_STORE":
            yield from _parameters({name: value}, role).items()
        elif kind == "SECRETS_MANAGER":
            yield from _secrets({name: value}, role).items()
        else:
            yield name, value


def _parameters(wanted: Mapping[str, str], role: Mapping[str, str]) -> dict[str, str]:
    if not wanted:
        return {}
    ssm: Any = client("ssm", role)
    return {
        name: ssm.get_parameter(Name=each, WithDecryption=True)["Parameter"]["Value"]
        for name, each in wanted.items()
    }


def _secrets(wanted: Mapping[str, str], role: Mapping[str, str]) -> dict[str, str]:
    """Read secrets, each as ``id:json-key``, or ``id`` for the whole text."""
    found = {}
    for name, each in wanted.items():
        secret, _, key = each.partition(":")
        text = client("secretsmanager", role).get_secret_value(SecretId=secret)["SecretString"]
        found[name] = str(json.loads(text)[key.partition(":")[0]]) if key else text
    return found
