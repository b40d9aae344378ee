"""Model versions as the model repository holds them; layout shared by training and inference."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

COUNTER = "COUNTER"
SERVING = "SERVING"
ARTEFACT_NAME = "model.tar.gz"


class ModelRecord(TypedDict):
    """A registered model version: what it is, what it rests on, how it was judged."""

    version: int
    model_id: str
    state: str
    verdict: str
    reasons: list[str]
    metrics: dict[str, Any]
    artefact_uri: str
    artefact_sha256: str
    golden_uri: str
    image_uri: str
    dataset_id: str
    config_digest: str
    training_id: str
    evaluation_uri: str
    registered_at: str


class ServingRecord(TypedDict):
    """What serves, since when, and what it replaced."""

    version: int
    endpoint_name: str
    endpoint_config_name: str
    deployed_at: str
    execution_arn: str
    replaced_version: NotRequired[int | None]


def model_partition(use_case: str) -> str:
    """Partition of a use case's model versions."""
    return f"MODEL#{use_case}"


def training_partition(use_case: str) -> str:
    """Partition of a use case's training claims."""
    return f"TRAINING#{use_case}"


def version_key(version: int) -> str:
    """Sort key of a version; versions sort as they count."""
    return f"V#{version:08d}"
