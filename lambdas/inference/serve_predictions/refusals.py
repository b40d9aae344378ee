"""Why a request is refused, as exceptions that carry their problem document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambdas.common.problem import problem
from pipeline_code.inference.contract import Problem


class RefusedError(Exception):
    """A request that is answered with a problem document."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(status, kind, detail, errors)
        self.headers = dict(headers or {})


class EndpointRefusedError(Exception):
    """The container found the request at fault; its own problem document says why."""

    def __init__(self, document: Problem) -> None:
        super().__init__(document["detail"])
        self.problem = document


class EndpointUnavailableError(Exception):
    """The endpoint gave no answer; the same request may succeed later."""
