"""Files of a build's reports: XML, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree


class ReportError(ValueError):
    """A file of a report is not what its format says."""


def root_of(path: Path, kind: str) -> ElementTree.Element:
    """Read a file's root element.

    Raises:
        ReportError: the file is no XML of this kind.

    """
    try:
        return ElementTree.parse(path).getroot()  # noqa: S314 - expat of Python 3.11 limits expansion
    except ElementTree.ParseError as error:
        message = f"{path.name} is no {kind} XML: {error}"
        raise ReportError(message) from error
