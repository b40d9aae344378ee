"""A service of BentoML."""

from __future__ import annotations

from typing import Any

import bentoml

from bench.peers.scoring import answer


@bentoml.service(workers=1)
class Model:
    """The model."""

    @bentoml.api(route="/invocations")
    def invoke(self, instances: list[dict[str, Any]]) -> dict[str, Any]:
        """Answer."""
        return answer({"instances": instances})
