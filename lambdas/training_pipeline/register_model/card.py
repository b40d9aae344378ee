"""The model card: what a version is, what it rests on, how good it is, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.common.model_records import ModelRecord

UNKNOWN_COMMIT = "unknown"
UNSTATED = "Not stated: `intended_use` of the training configuration says it."


def model_card(
    record: ModelRecord, use_case: str, config: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the card of a registered version; the same version gives the same card."""
    return {
        "model": {
            "use_case": use_case,
            "version": record["version"],
            "model_id": record["model_id"],
            "training_id": record["training_id"],
            "registered_at": record["registered_at"],
        },
        "intended_use": config.get("intended_use", UNSTATED),
        "data": {
            "dataset_id": record["dataset_id"],
            "split": config.get("split"),
            "rows_evaluated": record["metrics"].get("rows"),
        },
        "code": {
            "commit": record.get("code_commit", UNKNOWN_COMMIT),
            "image_uri": record["image_uri"],
            "image_digest": image_digest(record),
        },
        "configuration": {
            "digest": record["config_digest"],
            "seed": config.get("seed"),
            "members": [
                {name: member.get(name) for name in ("name", "source", "algorithm")}
                for member in config.get("members", [])
            ],
        },
        "artefact": {"uri": record["artefact_uri"], "sha256": record["artefact_sha256"]},
        "seal": record.get("seal"),
        "metrics": record["metrics"],
        "members": evaluation.get("members", {}),
        "without_source": evaluation.get("without_source", {}),
        "verdict": {"verdict": record["verdict"], "reasons": record["reasons"]},
        "evaluation_uri": record["evaluation_uri"],
    }


def image_digest(record: ModelRecord) -> str:
    """Give what names the image's content: its digest, or the tag that CDK makes of its sources."""
    uri = record["image_uri"]
    return uri.partition("@")[2] or uri.rpartition(":")[2]
