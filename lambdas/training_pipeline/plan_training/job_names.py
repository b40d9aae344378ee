"""Names of jobs: unique an execution, traceable to their training, valid for SageMaker."""

from __future__ import annotations

import re

from lambdas.common.digests import short_digest

MAX_LENGTH = 63
TUNING_LENGTH = 32
"""SageMaker takes shorter names for tuning jobs, from which it makes those of their jobs."""
_INVALID = re.compile(r"[^A-Za-z0-9]+")


def job_name(prefix: str, part: str, training_id: str, execution_arn: str) -> str:
    """Give ``<prefix>-<part>-<training>-<execution>``; a head that is too long ends in a digest."""
    tail = f"-{training_id.removeprefix('t-')[:8]}-{short_digest(execution_arn, 8)}"
    head = _INVALID.sub("-", f"{prefix}-{part}").strip("-")
    room = MAX_LENGTH - len(tail)
    if len(head) > room:
        digest = short_digest(f"{prefix}-{part}", 8)
        head = f"{head[: room - len(digest) - 1].rstrip('-')}-{digest}"
    return head + tail


def tuning_name(prefix: str, part: str, training_id: str, execution_arn: str) -> str:
    """Give ``<prefix>-<digest>``, as long as a tuning job's name may be."""
    head = _INVALID.sub("-", prefix).strip("-")
    digits = TUNING_LENGTH - len(head) - 1
    return f"{head}-{short_digest([part, training_id, execution_arn], digits)}"
