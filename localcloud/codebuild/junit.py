"""Reads the results of a build's tests: JUnit XML into CodeBuild's test cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from localcloud.codebuild.report_files import root_of

NANOSECONDS = 1_000_000_000
FAULTS = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


def test_cases(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read every test case of some files.

    Raises:
        ReportError: a file is no JUnit XML.

    """
    return [case for path in files for case in _cases(path)]


def _cases(path: Path) -> Iterator[dict[str, Any]]:
    for element in root_of(path, "JUnit").iter("testcase"):
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
