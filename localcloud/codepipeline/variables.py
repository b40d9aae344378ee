"""Variables of an execution: ``#{namespace.name}`` in an action's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")


class UnknownVariableError(ValueError):
    """A configuration refers to a variable that no action before it has put out."""


def resolve(text: str, variables: Mapping[str, Mapping[str, str]]) -> str:
    """Put values in place of references.

    Raises:
        UnknownVariableError: there is no such variable; the message lists those there are.

    """

    def value(match: re.Match[str]) -> str:
        namespace, name = match.groups()
        try:
            return variables[namespace][name]
        except KeyError:
            known = sorted(
                f"{space}.{each}" for space, names in variables.items() for each in names
            )
            message = f"{match[0]} is not known here; there are: {', '.join(known) or 'none'}"
            raise UnknownVariableError(message) from None

    return REFERENCE.sub(value, text)
