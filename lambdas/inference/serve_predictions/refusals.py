"""Why the endpoint gives no answer."""

from __future__ import annotations

from pipeline_code.inference.contract import Problem


class EndpointRefusedError(Exception):
    """The container found the request at fault; its own problem document says why."""

    def __init__(self, document: Problem, model_version: str = "") -> None:
        super().__init__(document["detail"])
        self.problem = document
        self.model_version = model_version


class EndpointUnavailableError(Exception):
    """The endpoint gave no answer; the same request may succeed later."""

    def __init__(self, detail: str, *, model_version: str = "", is_failure: bool = True) -> None:
        super().__init__(detail)
        self.model_version = model_version
        self.is_failure = is_failure  #: rather than that there is nothing to fail yet
