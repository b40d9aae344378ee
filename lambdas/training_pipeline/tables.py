"""Where the training pipeline's claims lie in the model table."""

from __future__ import annotations

from typing import Any

from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.model_records import training_partition


def training_claims(client: Any, table: str, use_case: str) -> DynamoClaims:
    """Give the claims on trainings of a use case."""
    return DynamoClaims(client, table, training_partition(use_case))
