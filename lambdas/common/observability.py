"""One JSON line a fact on standard output, each with the correlation id of its request."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from traceback import format_exception


class JsonLogger:
    """Writes structured log lines; ``bind`` gives a logger that repeats fields on every line."""

    def __init__(self, function: str, **bound: object) -> None:
        self._function = function
        self._bound = bound

    def bind(self, **fields: object) -> JsonLogger:
        """Return a logger that adds these fields to each of its lines."""
        return JsonLogger(self._function, **{**self._bound, **fields})

    def info(self, message: str, **fields: object) -> None:
        """Say what happened."""
        self._write("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Say what happened and should not become a habit."""
        self._write("WARNING", message, fields)

    def failure(self, message: str, error: BaseException, **fields: object) -> None:
        """Say what failed, with its traceback."""
        self._write("ERROR", message, {**fields, "error": "".join(format_exception(error))})

    def _write(self, level: str, message: str, fields: dict[str, object]) -> None:
        line = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "function": self._function,
            "message": message,
            **self._bound,
            **fields,
        }
        sys.stdout.write(json.dumps(line, default=str) + "\n")
        sys.stdout.flush()
