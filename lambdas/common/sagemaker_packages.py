"""Model versions mirrored to a SageMaker Model Package Group, where Studio and the SDK see them."""

from __future__ import annotations

from typing import Any

from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.model_records import ModelRecord

_JSON = "application/json"
_STATUS = {
    "candidate": "PendingManualApproval",
    "approved": "Approved",
    "deployed": "Approved",
    "retired": "Approved",
    "rejected": "Rejected",
    "blocked": "Rejected",
}


class SageMakerPackages:
    """One package a version; its approval status follows the version's state.

    An environment without a group mirrors nothing.
    """

    def __init__(self, client: Any, group: str, use_case: str, records: DynamoModelRecords) -> None:
        self._client = client
        self._group = group
        self._use_case = use_case
        self._records = records

    def mirror(self, version: int) -> None:
        """Show a version and its state as they are now."""
        record = self._records.version(version)
        if record is None or not self._group:
            return
        if "package_arn" in record:
            self._client.update_model_package(
                ModelPackageArn=record["package_arn"],
                ModelApprovalStatus=_STATUS[record["state"]],
                ApprovalDescription=_description(record),
            )
            return
        answer = self._client.create_model_package(**self._request(record))
        self._records.note(version, "package_arn", answer["ModelPackageArn"])

    def _request(self, record: ModelRecord) -> dict[str, Any]:
        environment = {"USE_CASE": self._use_case, "MODEL_VERSION": str(record["version"])}
        container = {
            "Image": record["image_uri"],
            "ModelDataUrl": record["artefact_uri"],
            "Environment": environment,
        }
        return {
            "ModelPackageGroupName": self._group,
            # An approval has a description of its own only once the package is updated.
            "ModelPackageDescription": (
                f"Version {record['version']}, {record['model_id']}. {_description(record)}"[:1024]
            ),
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": [_JSON],
                "SupportedResponseMIMETypes": [_JSON],
            },
            "ModelApprovalStatus": _STATUS[record["state"]],
            # A repeated step, whose first answer was lost, gets the package of the first.
            "ClientToken": record["training_id"],
            "CustomerMetadataProperties": {
                "version": str(record["version"]),
                "model_id": record["model_id"],
                "training_id": record["training_id"],
                "dataset_id": record["dataset_id"],
                "artefact_sha256": record["artefact_sha256"],
                "verdict": record["verdict"],
            },
        }


def _description(record: ModelRecord) -> str:
    return f"{record['state']}: {'; '.join(record['reasons'])}"[:1024]
