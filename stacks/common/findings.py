"""Acknowledged security findings: each with the reason why it is right here."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept the named cdk-nag findings on a construct and all below it.

    A key is the whole finding, such as ``AwsSolutions-IAM5[Action::s3:GetObject*]``; a bare
    rule has no effect.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items())
    )
