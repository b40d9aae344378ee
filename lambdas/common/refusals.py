"""Why an API's function refuses a request, as an exception that carries its problem document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambdas.common.problem import problem


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
