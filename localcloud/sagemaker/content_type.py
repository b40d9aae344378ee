"""Keeps the Content-Type that a model answers with.

ministack rewrites every JSON answer of a service to that service's protocol; what an endpoint
answers is the model's own. It looks for the header in one spelling only.
"""

from __future__ import annotations

from typing import Any

from ministack import app

SERVICE = "sagemaker"


def keep_content_type_of_models() -> None:
    """Spell the header of SageMaker's answers so that it is left alone."""
    handler = app.SERVICE_HANDLERS[SERVICE]

    async def handle(*request: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = await handler(*request)
        return status, {name.lower(): value for name, value in headers.items()}, body

    app.SERVICE_HANDLERS[SERVICE] = handle
