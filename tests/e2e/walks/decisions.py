"""Walks through the workflow that decides what is too much for one request."""

from __future__ import annotations

from lambdas.inference.contract import RecordDecisionResponse
from tests.e2e.walking import Walk, Walks
from tests.e2e.walks.answers import document, processing_job

WALKS = Walks(
    answers={
        "Solve": processing_job("fb-decide"),
        "Record decision": document(
            RecordDecisionResponse,
            decision_id="d-1",
            status="optimal",
            net=1.5,
            document_uri="s3://analytics/decisions/documents/d-1.json",
        ),
    },
    walks=(
        Walk(
            "a large request is decided",
            "Decided",
            given={"request_uri": "s3://analytics/decisions/requests/r-1.json"},
        ),
    ),
)
