"""Acknowledged security findings: each with the reason why it is right here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept the named cdk-nag findings on a construct and all below it.

    A key is the whole finding, such as ``AwsSolutions-IAM5[Action::s3:GetObject*]``; a bare
    rule has no effect.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items())
    )


def wildcard_finding(construct: IConstruct, resource: str) -> str | None:
    """Name the finding that a resource with a `*` gives; none if it has no `*`."""
    text = _text_of(Stack.of(construct).resolve(resource))
    return f"AwsSolutions-IAM5[Resource::{text}]" if "*" in text else None


def imported_text(exporting: Stack, value: str) -> str:
    """Write a value of another stack as findings do: by the name of its export."""
    return _text_of(exporting.resolve(exporting.export_value(value)))


def _text_of(value: object) -> str:
    """Write a resolved value as findings do: references in angle brackets, joins joined."""
    if isinstance(value, str):
        return value
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_text_of(part) for part in parts)
        case {"Fn::Sub": str(template)}:
            return re.sub(r"\$\{([^}]+)\}", r"<\1>", template)
        case {"Fn::ImportValue": str(name)}:
            return name
    return f"<{_name_of(value)}>"


def _name_of(value: object) -> str:
    """Name what a reference refers to."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(resource), str(attribute)]}:
            return f"{resource}.{attribute}"
        case {"Fn::FindInMap": [str(mapping), _, str(name)]}:
            return f"{mapping}.{name}"
    message = f"findings do not say how they write {value!r}"
    raise TypeError(message)
