"""Walks through the data workflow."""

from __future__ import annotations

from typing import Any

from lambdas.data_pipeline.contract import (
    CatalogRunResponse,
    CollectBatchResponse,
    JoinOutcomesResponse,
    PublishDatasetResponse,
    RejectBatchResponse,
)
from tests.e2e.walking import InTurn, Walk, Walks
from tests.e2e.walks.answers import document


def batch(status: str) -> dict[str, Any]:
    return document(
        CollectBatchResponse,
        status=status,
        waiting_for=[],
        unrecognised=[],
        periods=["2013-01", "2013-12"],
        batch_id="b-1",
        run_id="r-1",
        batch_uri="s3://raw/batches/b-1.json",
        detail="12 months of 3 sources.",
    )


def joined(cursor: str) -> dict[str, Any]:
    return document(JoinOutcomesResponse, examined=100, joined=60, cursor=cursor)


ANSWERS = {
    "Collect batch": batch("ready"),
    "Transform batch": {"Id": "jr_1", "JobName": "transform", "JobRunState": "SUCCEEDED"},
    "Publish dataset": document(
        PublishDatasetResponse,
        dataset_id="d-1",
        manifest_uri="s3://input/datasets/d-1/manifest.json",
        rows={"train": 3},
    ),
    "Catalog run": document(CatalogRunResponse, partitions={"examples": 3}, looked_up=[]),
    "Join outcomes": joined(""),
    "Reject batch": document(
        RejectBatchResponse, batch_id="b-1", outcome="rejected", reason="on purpose"
    ),
    "Catalog quarantine": document(CatalogRunResponse, partitions={"quarantine": 1}, looked_up=[]),
}
WALKS = Walks(
    answers=ANSWERS,
    walks=(
        Walk("a batch becomes a dataset", "Dataset published"),
        Walk(
            "outcomes are joined page by page",
            "Dataset published",
            answers={"Join outcomes": InTurn([joined("page-2"), joined("")])},
        ),
        Walk(
            "a source is awaited",
            "Nothing to do",
            answers={"Collect batch": batch("waiting")},
        ),
        Walk(
            "a forced run of a known batch",
            "Dataset published",
            given={"force": True},
        ),
    ),
)
