"""The account and region a request acts in, and the ARNs of what it names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from localcloud.registry import Call

Document = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """One account in one region: nothing is shared between two of them."""

    account: str
    region: str

    @classmethod
    def of(cls, call: Call) -> Scope:
        """Tell where a request acts."""
        return cls(call.account, call.region)

    def arn(self, resource_type: str, name: str) -> str:
        """Spell the ARN of a resource; SageMaker writes names in lower case."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource_type}/{name.lower()}"


def now() -> float:
    """Tell the time as the JSON protocol writes it: seconds, with milliseconds."""
    return round(time.time(), 3)
