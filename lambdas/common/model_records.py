"""Model versions as the model repository holds them; layout shared by training and inference."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from lambdas.common.seals import Seal

COUNTER = "COUNTER"
SERVING = "SERVING"
ARTEFACT_NAME = "model.tar.gz"


class JudgedModel(TypedDict):
    """A trained and judged model: what it is, what it rests on, how it was judged."""

    model_id: str
    verdict: str
    reasons: list[str]
    rules: NotRequired[list[dict[str, Any]]]
    """Each rule of the verdict: name, value, limit, whether it was kept, and the sentence."""
    artefact_uri: str
    artefact_sha256: str
    golden_uri: str
    image_uri: str
    dataset_id: str
    config_digest: str
    training_id: str
    evaluation_uri: str
    seal: NotRequired[Seal]
    """Digest and signature of the manifest; what has none is never served."""
    requested_by: NotRequired[str]
    """Who asked for the training; whoever that is may not approve it."""
    execution_arn: NotRequired[str]
    members: NotRequired[dict[str, dict[str, Any]]]
    """By member: its artefact, its jobs, and what the tuning chose."""


class ModelRecord(JudgedModel):
    """A registered model version."""

    version: int
    state: str
    metrics: dict[str, Any]
    registered_at: str
    card_uri: NotRequired[str]
    code_commit: NotRequired[str]
    """Commit that the environment was deployed from when it was registered."""
    champion_version: NotRequired[int | None]
    package_arn: NotRequired[str]
    """The SageMaker model package that mirrors this version."""


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


def approval_partition(use_case: str) -> str:
    """Partition of a use case's approvals, by version."""
    return f"APPROVAL#{use_case}"


def version_key(version: int) -> str:
    """Sort key of a version; versions sort as they count."""
    return f"V#{version:08d}"
