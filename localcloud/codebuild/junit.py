"""Reads the results of a build's tests: JUnit XML into CodeBuild's test cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

NANOSECONDS = 1_000_000_000
FAULTS = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


class ReportError(ValueError):
    """A file of a report is not what its format says."""


def test_cases(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read every test case of some files.

    Raises:
        ReportError: a file is no JUnit XML.

    """
    return [case for path in files for case in _cases(path)]


def _cases(path: Path) -> Iterator[dict[str, Any]]:
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - expat of Python 3.11 limits expansion
    except ElementTree.ParseError as error:
        message = f"{path.name} is no JUnit XML: {error}"
        raise ReportError(message) from error
    for element in root.iter("testcase"):
        status, message = _status(element)
        yield {
            "prefix": element.get("classname", ""),
            "name": element.get("name", ""),
            "status": status,
            "durationInNanoSeconds": int(float(element.get("time", "0")) * NANOSECONDS),
            "message": message,
            "testRawDataPath": path.name,
        }


def _status(element: ElementTree.Element) -> tuple[str, str]:
    for child in element:
        if child.tag in FAULTS:
            return FAULTS[child.tag], child.get("message", "") or (child.text or "")
    return "SUCCEEDED", ""


def summary(cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count test cases by status."""
    counts = Counter(case["status"] for case in cases)
    return {
        "total": len(cases),
        "statusCounts": dict(counts),
        "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
    }
