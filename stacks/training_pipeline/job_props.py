"""What training and evaluation jobs share."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks.config.model import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class JobProps:
    """The role that jobs hold, the key of what they write, how they are named, and their size."""

    role: iam.IRole
    key: kms.IKey
    name_prefix: str
    settings: TrainingSettings
