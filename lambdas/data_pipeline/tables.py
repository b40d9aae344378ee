"""Where the data pipeline's items lie in the Metadata table."""

from __future__ import annotations

from typing import Any

from lambdas.common.dynamo_claims import DynamoClaims

LATEST = "LATEST"
"""Sort key of the pointer to the latest dataset version."""


def dataset_partition(use_case: str) -> str:
    """Partition of a use case's dataset versions."""
    return f"DATASET#{use_case}"


def arrival_key(use_case: str) -> dict[str, str]:
    """Key of the item that says what landed and what is still awaited."""
    return {"pk": f"ARRIVAL#{use_case}", "sk": "STATE"}


def pull_key(use_case: str, source: str, uri: str) -> dict[str, str]:
    """Key of the item that remembers one pulled file."""
    return {"pk": f"PULL#{use_case}", "sk": f"{source}#{uri}"}


def batch_claims(client: Any, table: str, use_case: str) -> DynamoClaims:
    """Give the claims on batches of a use case."""
    return DynamoClaims(client, table, f"BATCH#{use_case}")
