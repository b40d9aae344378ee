"""Base of the functions' exceptions: an exception's docstring is what it says."""

from __future__ import annotations


class DocumentedError(Exception):
    """The message is the subclass's docstring, filled with the facts given by name."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__((type(self).__doc__ or "").format(**facts))


class ClaimLostError(DocumentedError):
    """The claim on {subject} is not held by {holder} any more; it is {state}. Start a new run."""


class DocumentNotFoundError(DocumentedError):
    """There is no object at {uri}. The step that writes it did not finish."""


class SettingError(DocumentedError):
    """The environment variable {name} is {value!r}, but must be {allowed}."""
