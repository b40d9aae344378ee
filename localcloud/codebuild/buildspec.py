"""Reads a build specification (buildspec.yml, version 0.2): phases, variables, artefacts, reports.

Source: the build specification reference of the AWS CodeBuild user guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
SHELLS = ("bash", "sh", "/bin/sh", "/bin/bash")
ON_FAILURE = ("ABORT", "CONTINUE")
TOP_LEVEL = (
    "version",
    "run-as",
    "env",
    "proxy",
    "batch",
    "phases",
    "reports",
    "artifacts",
    "cache",
)
UNSUPPORTED = ("run-as", "proxy", "batch")
PHASE_KEYS = ("on-failure", "runtime-versions", "commands", "finally", "steps", "run-as")
VERSION = 0.2
JUNIT, COBERTURA = "JUNITXML", "COBERTURAXML"


class BuildspecError(ValueError):
    """The build specification is wrong: which field, its value and what is allowed."""


@dataclass(frozen=True)
class Phase:
    """One phase: its commands, and what runs whatever becomes of them."""

    name: str
    commands: Sequence[str]
    finally_commands: Sequence[str]
    on_failure: str
    runtimes: Mapping[str, str]


@dataclass(frozen=True)
class Artefact:
    """Which files a build hands on."""

    files: Sequence[str]
    excluded: Sequence[str]
    base_directory: str
    discard_paths: bool
    name: str


@dataclass(frozen=True)
class ReportFiles:
    """Where a build leaves the results of its tests or their coverage."""

    group: str
    files: Sequence[str]
    base_directory: str
    format: str


@dataclass(frozen=True)
class Buildspec:
    """A whole build specification."""

    shell: str
    variables: Mapping[str, str]
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]
    exported: Sequence[str]
    phases: Sequence[Phase]
    artefact: Artefact | None
    secondary: Mapping[str, Artefact]
    reports: Sequence[ReportFiles]
    cache_paths: Sequence[str]


def parse(text: str) -> Buildspec:
    """Read a build specification.

    Raises:
        BuildspecError: it is no YAML mapping, or a field of it is unknown, wrong or not supported.

    """
    document = _document(text)
    _known("", document, TOP_LEVEL)
    for name in UNSUPPORTED:
        if name in document:
            _refuse(name, document[name], "nothing: the embedded AWS does not offer it")
    if document.get("version") not in (VERSION, str(VERSION)):
        _refuse("version", document.get("version"), str(VERSION))
    environment = _mapping("env", document.get("env"))
    shell = str(environment.get("shell", "sh"))
    if shell not in SHELLS:
        _refuse("env.shell", shell, ", ".join(SHELLS))
    artefacts = _mapping("artifacts", document.get("artifacts"))
    secondary = _mapping("artifacts.secondary-artifacts", artefacts.get("secondary-artifacts"))
    return Buildspec(
        shell=shell,
        variables=_texts("env.variables", environment.get("variables")),
        parameters=_texts("env.parameter-store", environment.get("parameter-store")),
        secrets=_texts("env.secrets-manager", environment.get("secrets-manager")),
        exported=_list("env.exported-variables", environment.get("exported-variables")),
        phases=_phases(document),
        artefact=_artefact("artifacts", artefacts) if "files" in artefacts else None,
        secondary={
            name: _artefact(f"artifacts.secondary-artifacts.{name}", _mapping(name, each))
            for name, each in secondary.items()
        },
        reports=_reports(document),
        cache_paths=_list("cache.paths", _mapping("cache", document.get("cache")).get("paths")),
    )


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"YAML_FILE_ERROR: the build specification is no YAML: {error}"
        raise BuildspecError(message) from error
    return _mapping("the build specification", document)


def _phases(document: Mapping[str, Any]) -> list[Phase]:
    declared = _mapping("phases", document.get("phases"))
    _known("phases.", declared, PHASES)
    if not declared:
        _refuse("phases", declared, f"at least one of {', '.join(PHASES)}")
    return [_phase(name, _mapping(name, declared[name])) for name in PHASES if name in declared]


def _phase(name: str, declared: Mapping[str, Any]) -> Phase:
    _known(f"phases.{name}.", declared, PHASE_KEYS)
    # A phase without a word on it ends the build, but for build, after which post_build tidies up.
    on_failure = str(declared.get("on-failure", "CONTINUE" if name == "build" else "ABORT"))
    if on_failure not in ON_FAILURE:
        _refuse(f"phases.{name}.on-failure", on_failure, ", ".join(ON_FAILURE))
    return Phase(
        name=name,
        commands=_list(f"phases.{name}.commands", declared.get("commands")),
        finally_commands=_list(f"phases.{name}.finally", declared.get("finally")),
        on_failure=on_failure,
        runtimes=_texts(f"phases.{name}.runtime-versions", declared.get("runtime-versions")),
    )


def _artefact(path: str, declared: Mapping[str, Any]) -> Artefact:
    return Artefact(
        files=_list(f"{path}.files", declared.get("files")),
        excluded=_list(f"{path}.exclude-paths", declared.get("exclude-paths")),
        base_directory=str(declared.get("base-directory", "")),
        discard_paths=str(declared.get("discard-paths", "no")).lower() in ("yes", "true"),
        name=str(declared.get("name", "")),
    )


def _reports(document: Mapping[str, Any]) -> list[ReportFiles]:
    declared = _mapping("reports", document.get("reports"))
    return [_report(group, each) for group, each in declared.items()]


def _report(group: str, declared: Mapping[str, Any]) -> ReportFiles:
    kind = str(declared.get("file-format", JUNIT)).upper()
    if kind not in (JUNIT, COBERTURA):
        _refuse(f"reports.{group}.file-format", kind, f"{JUNIT}, {COBERTURA}")
    return ReportFiles(
        group=group,
        files=_list(f"reports.{group}.files", declared.get("files")),
        base_directory=str(declared.get("base-directory", "")),
        format=kind,
    )


def _mapping(path: str, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _refuse(path, value, "a mapping")
    return {str(key): each for key, each in dict(value).items()}  # type: ignore[call-overload]  # checked above


def _texts(path: str, value: object) -> dict[str, str]:
    return {key: _text(each) for key, each in _mapping(path, value).items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(path: str, value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        _refuse(path, value, "a list")
    return [_text(each) for each in list(value)]  # type: ignore[call-overload]  # checked above


def _known(path: str, given: Mapping[str, Any], allowed: Sequence[str]) -> None:
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        _refuse(f"{path}{unknown[0]}", given[unknown[0]], ", ".join(allowed))


def _refuse(path: str, value: object, allowed: str) -> None:
    message = f"YAML_FILE_ERROR: {path} is {value!r}; allowed: {allowed}"
    raise BuildspecError(message)
