"""Metrics that a training job prints: MetricDefinitions' expressions applied to its log."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence

from localcloud.sagemaker.scope import Document, now


class MetricScraper:
    """Remembers the last value that each metric's expression found."""

    def __init__(
        self,
        definitions: Sequence[Document],
        on_value: Callable[[str, float], object] = lambda *_: None,
    ) -> None:
        self._on_value = on_value
        self._expressions = [(d["Name"], re.compile(d["Regex"])) for d in definitions]
        self._values: dict[str, Document] = {}

    def read(self, line: str) -> None:
        """Look at one line of the log."""
        for name, expression in self._expressions:
            found = expression.search(line)
            if found:
                with contextlib.suppress(ValueError, IndexError):
                    value = float(found.group(1))
                    self._values[name] = {"MetricName": name, "Value": value, "Timestamp": now()}
                    self._on_value(name, value)

    def final(self) -> list[Document]:
        """List the last values."""
        return list(self._values.values())
