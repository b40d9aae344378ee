"""Reads Dockerfiles: stages of instructions, with build arguments and variables substituted."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\\\$|\$\{(\w+)(?::([-+])([^}]*))?\}|\$(\w+)")
_STAGE = re.compile(r"(?:--platform=\S+\s+)?(\S+)(?:\s+[Aa][Ss]\s+(\S+))?$")
SUPPORTED = frozenset(
    [
        "FROM",
        "ARG",
        "ENV",
        "WORKDIR",
        "COPY",
        "ADD",
        "RUN",
        "ENTRYPOINT",
        "CMD",
        "USER",
        "LABEL",
        "EXPOSE",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "VOLUME",
        "SHELL",
        "MAINTAINER",
    ]
)


class DockerError(Exception):
    """What the stand-in cannot or will not do; the message says what it can."""


@dataclass(frozen=True)
class Instruction:
    """One instruction, such as COPY, and its text."""

    keyword: str
    text: str
    line: int


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)


def parse(text: str, arguments: Mapping[str, str]) -> list[Stage]:
    """Return the stages of a Dockerfile; an instruction that is not known is an error."""
    stages: list[Stage] = []
    values: dict[str, str] = {}
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            stages.append(_stage(instruction, values, len(stages)))
        elif instruction.keyword == "ARG" and not stages:
            values |= argument_values(instruction.text, arguments)
        elif not stages:
            raise DockerError(f"line {instruction.line}: {instruction.keyword} before FROM")
        else:
            stages[-1].instructions.append(instruction)
    if not stages:
        raise DockerError("the Dockerfile has no FROM")
    return stages


def _instructions(text: str) -> Iterator[Instruction]:
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start or number
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        yield _instruction(pending + stripped, start)
        pending, start = "", 0
    if pending:
        yield _instruction(pending, start)


def _instruction(text: str, line: int) -> Instruction:
    keyword, _, rest = text.partition(" ")
    if keyword.upper() not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        raise DockerError(f"line {line}: {keyword} is not supported; supported are {known}")
    return Instruction(keyword.upper(), rest.strip(), line)


def _stage(instruction: Instruction, values: Mapping[str, str], number: int) -> Stage:
    match = _STAGE.match(substitute(instruction.text, values))
    if match is None:
        raise DockerError(f"line {instruction.line}: cannot read FROM {instruction.text}")
    return Stage(match[1], match[2] or str(number))


def argument_values(text: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return what an ARG instruction defines: the given value, or its default."""
    name, has_default, default = text.partition("=")
    if name in arguments:
        return {name: arguments[name]}
    return {name: shlex.split(default)[0] if default else ""} if has_default else {}


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Replace `$name`, `${name}`, `${name:-default}` and `${name:+other}`; unknown names stay."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[4]
        if name is None:
            return "$"
        known = values.get(name, "")
        if match[2] == "-":
            return known or match[3]
        if match[2] == "+":
            return match[3] if known else ""
        return values.get(name, match[0])

    return _VARIABLE.sub(value, text)


def words(text: str) -> list[str]:
    """Return the words of an instruction that is written as JSON or as a shell command."""
    if text.startswith("["):
        return [str(each) for each in json.loads(text)]
    return shlex.split(text)


def command(text: str) -> tuple[str, ...]:
    """Return the words of ENTRYPOINT or CMD; the shell form runs through /bin/sh."""
    return tuple(words(text)) if text.startswith("[") else ("/bin/sh", "-c", text)


def assignments(text: str) -> dict[str, str]:
    """Return what an ENV instruction sets, in either of its two forms."""
    parts = shlex.split(text)
    if parts and "=" not in parts[0]:
        return {parts[0]: " ".join(parts[1:])}
    return dict(part.split("=", 1) for part in parts)
