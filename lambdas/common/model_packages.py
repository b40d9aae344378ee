"""Where model versions are mirrored, so that tools beside ours see them."""

from __future__ import annotations

from typing import Protocol


class Packages(Protocol):
    """A mirror of the model repository."""

    def mirror(self, version: int) -> None:
        """Show a version and its state as they are now."""
