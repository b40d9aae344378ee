"""Reads what a build's tests covered: Cobertura XML into CodeBuild's code coverages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from localcloud.codebuild.report_files import ReportError, root_of

PERCENT = 100.0


def coverages(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read the coverage of every source file that some reports name.

    Raises:
        ReportError: a file is no Cobertura XML.

    """
    return [each for path in files for each in _coverages(path)]


def _coverages(path: Path) -> Iterator[dict[str, Any]]:
    root = root_of(path, "Cobertura")
    if root.tag != "coverage":
        message = f"{path.name} is no Cobertura XML: its root is <{root.tag}>, not <coverage>"
        raise ReportError(message)
    for element in root.iter("class"):
        hits = [int(line.get("hits", "0")) > 0 for line in element.iter("line")]
        yield {
            "filePath": element.get("filename", ""),
            "lineCoveragePercentage": PERCENT * sum(hits) / len(hits) if hits else PERCENT,
            "linesCovered": sum(hits),
            "linesMissed": len(hits) - sum(hits),
        }


def summary(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add up what was covered."""
    covered = sum(each["linesCovered"] for each in files)
    missed = sum(each["linesMissed"] for each in files)
    share = PERCENT * covered / (covered + missed) if files and covered + missed else PERCENT
    return {
        "lineCoveragePercentage": share,
        "linesCovered": covered,
        "linesMissed": missed,
    }
