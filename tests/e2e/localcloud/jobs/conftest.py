"""The embedded AWS of all tests, with an image in its registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.localcloud.conftest import ACCOUNT, Cloud

MODEL_IMAGE = Path(__file__).with_name("model_image")


@pytest.fixture(scope="session")
def cloud(cloud: Cloud) -> Cloud:
    cloud.client("ecr").create_repository(repositoryName="model")
    cloud.image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/model:1"
    docker = cloud.environment["CDK_DOCKER"]
    cloud.program(docker, "build", "--tag", cloud.image, str(MODEL_IMAGE))
    cloud.program(docker, "push", cloud.image)
    return cloud
