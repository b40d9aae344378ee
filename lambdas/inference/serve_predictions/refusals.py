"""Why the endpoint gives no answer."""

from __future__ import annotations

from pipeline_code.inference.contract import Problem


class EndpointRefusedError(Exception):
    """The container found the request at fault; its own problem document says why."""

    def __init__(self, document: Problem) -> None:
        super().__init__(document["detail"])
        self.problem = document


class EndpointUnavailableError(Exception):
    """The endpoint gave no answer; the same request may succeed later."""
