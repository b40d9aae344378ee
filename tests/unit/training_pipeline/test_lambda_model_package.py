"""The mirrored model package is a request that SageMaker takes."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from lambdas.common.sagemaker_packages import SageMakerPackages

RECORD = {
    "version": 3,
    "model_id": "m-0123",
    "state": "approved",
    "reasons": ["a long reason " * 200],
    "image_uri": "registry/image@sha256:0",
    "artefact_uri": "s3://models/m-0123/model.tar.gz",
    "training_id": "t-0123",
    "dataset_id": "d-0123",
    "artefact_sha256": "0" * 64,
    "verdict": "promoted",
}


class FakeRecords:
    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def version(self, version: int) -> dict[str, Any]:
        return self.record

    def note(self, version: int, name: str, value: str) -> None:
        self.record[name] = value


class FakeSageMaker:
    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def create_model_package(self, **request: Any) -> dict[str, str]:
        self.requests.append(("CreateModelPackage", request))
        return {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1"}

    def update_model_package(self, **request: Any) -> None:
        self.requests.append(("UpdateModelPackage", request))


def test_a_version_is_created_once_and_updated_afterwards_with_requests_that_aws_takes() -> None:
    client, records = FakeSageMaker(), FakeRecords(dict(RECORD))
    packages = SageMakerPackages(client, "group", "tiny", records)

    packages.mirror(3)
    packages.mirror(3)

    model = botocore.session.get_session().get_service_model("sagemaker")
    assert [name for name, _ in client.requests] == ["CreateModelPackage", "UpdateModelPackage"]
    for name, request in client.requests:
        shape = model.operation_model(name).input_shape
        found = ParamValidator().validate(request, shape)
        assert not found.has_errors(), found.generate_report()
    assert len(client.requests[0][1]["ModelPackageDescription"]) <= 1024
