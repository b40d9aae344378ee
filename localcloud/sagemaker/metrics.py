"""Metrics that a training job prints: MetricDefinitions' expressions applied to its log."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from localcloud.sagemaker.scope import Document, now


class MetricScraper:
    """Remembers the last value that each metric's expression found."""

    def __init__(self, definitions: Sequence[Document]) -> None:
        self._expressions = [(d["Name"], re.compile(d["Regex"])) for d in definitions]
        self._values: dict[str, Document] = {}

    def read(self, line: str) -> None:
        """Look at one line of the log."""
        for name, expression in self._expressions:
            found = expression.search(line)
            if found:
                with contextlib.suppress(ValueError, IndexError):
                    self._values[name] = {
                        "MetricName": name,
                        "Value": float(found.group(1)),
                        "Timestamp": now(),
                    }

    def final(self) -> list[Document]:
        """List the last values."""
        return list(self._values.values())
