"""A version's package is a request that SageMaker takes, and follows the version's state."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lambdas.common.sagemaker_packages import SageMakerPackages

SERVICE = botocore.session.get_session().get_service_model("sagemaker")
RECORD = {
    "version": 3,
    "model_id": "m-1",
    "state": "candidate",
    "verdict": "needs_approval",
    "reasons": ["within noise"],
    "artefact_uri": "s3://models/models/m-1/model.tar.gz",
    "artefact_sha256": "0" * 64,
    "image_uri": "1.dkr.ecr.us-east-1.amazonaws.com/own:1",
    "dataset_id": "d-1",
    "training_id": "t-1",
}


class Records:
    def __init__(self, record):
        self.record = dict(record)

    def version(self, version):
        return self.record if version == self.record["version"] else None

    def note(self, version, name, value):
        self.record[name] = value


class Client:
    """Checks each request against botocore's own model, as a client would."""

    def __init__(self):
        self.sent = []

    def create_model_package(self, **request):
        validate_parameters(request, SERVICE.operation_model("CreateModelPackage").input_shape)
        self.sent.append(request)
        return {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:1:model-package/g/1"}

    def update_model_package(self, **request):
        validate_parameters(request, SERVICE.operation_model("UpdateModelPackage").input_shape)
        self.sent.append(request)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("candidate", "PendingManualApproval"),
        ("approved", "Approved"),
        ("rejected", "Rejected"),
        ("blocked", "Rejected"),
    ],
)
def test_a_package_is_made_once_and_then_follows_the_state(state, status):
    client, records = Client(), Records(RECORD)
    packages = SageMakerPackages(client, "group", "demo", records)
    packages.mirror(3)
    records.record["state"] = state
    packages.mirror(3)
    created, updated = client.sent
    assert created["ModelApprovalStatus"] == "PendingManualApproval"
    assert created["CustomerMetadataProperties"]["version"] == "3"
    assert created["ClientToken"] == "t-1"
    assert updated["ModelApprovalStatus"] == status
    assert updated["ModelPackageArn"] == records.record["package_arn"]


def test_an_environment_without_a_group_mirrors_nothing():
    client = Client()
    SageMakerPackages(client, "", "demo", Records(RECORD)).mirror(3)
    assert client.sent == []
