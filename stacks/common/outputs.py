"""Outputs: what the operator's command finds a stack's resources by."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack


def publish(stack: Stack, **values: str) -> None:
    """Output each value under its own name."""
    for name, value in values.items():
        CfnOutput(stack, name, value=value)
