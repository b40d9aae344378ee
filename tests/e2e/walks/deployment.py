"""Walks through the deployment workflow."""

from __future__ import annotations

from typing import Any

from lambdas.inference.contract import (
    PlanDeploymentResponse,
    RecordDeploymentResponse,
    VerifyArtefactResponse,
    VerifyDeploymentResponse,
)
from tests.e2e.walking import Error, InTurn, Walk, Walks
from tests.e2e.walks.answers import ARN, IMAGE, MOMENT, document

NEW, OLD = "fb-config-2", "fb-config-1"


def plan(**fields: Any) -> dict[str, Any]:
    return document(
        PlanDeploymentResponse,
        **{
            "version": 2,
            "model_name": "fb-model-2",
            "endpoint_config_name": NEW,
            "endpoint_name": "fb",
            "image_uri": IMAGE,
            "artefact_uri": "s3://models/models/m-0/model.tar.gz",
            "environment": {"MODEL_VERSION": "2"},
            "model_exists": False,
            "endpoint_config_exists": False,
            "endpoint_exists": True,
            "endpoint_failed": False,
            "already_serving": False,
            "previous_endpoint_config_name": OLD,
            **fields,
        },
    )


def endpoint(status: str, config: str = NEW) -> dict[str, Any]:
    return {
        "EndpointName": "fb",
        "EndpointArn": f"{ARN}:endpoint/fb",
        "EndpointConfigName": config,
        "EndpointStatus": status,
        "CreationTime": MOMENT,
        "LastModifiedTime": MOMENT,
    }


FIRST = plan(endpoint_exists=False)
del FIRST["previous_endpoint_config_name"]
ANSWERS = {
    "Plan deployment": plan(),
    "Verify artefact": document(VerifyArtefactResponse, version=2, artefact_sha256="0" * 64),
    "Delete failed endpoint": {},
    "Create model": {"ModelArn": f"{ARN}:model/fb-model-2"},
    "Create endpoint config": {"EndpointConfigArn": f"{ARN}:endpoint-config/{NEW}"},
    "Create endpoint": {"EndpointArn": f"{ARN}:endpoint/fb"},
    "Update endpoint": {"EndpointArn": f"{ARN}:endpoint/fb"},
    "Restore previous config": {"EndpointArn": f"{ARN}:endpoint/fb"},
    "Describe endpoint": InTurn([endpoint("Updating", OLD), endpoint("InService")]),
    "Verify deployment": document(VerifyDeploymentResponse, version=2, verified=64),
    "Record deployment": document(RecordDeploymentResponse, version=2, replaced_version=1),
}
WALKS = Walks(
    answers=ANSWERS,
    walks=tuple(
        Walk(name, ends_in, given={"version": 2}, answers=answers)
        for name, ends_in, answers in (
            ("a new version replaces the serving one", "Model deployed", {}),
            ("a first version", "Model deployed", {"Plan deployment": FIRST}),
            (
                "a deployment that was interrupted",
                "Model deployed",
                {"Plan deployment": plan(model_exists=True, endpoint_config_exists=True)},
            ),
            (
                "a version that serves already",
                "Model deployed",
                {"Plan deployment": plan(already_serving=True)},
            ),
            (
                "a failed endpoint is deleted first",
                "Model deployed",
                {"Plan deployment": InTurn([plan(endpoint_failed=True), FIRST])},
            ),
            (
                "the endpoint stays at the old config",
                "Endpoint not in service",
                {"Describe endpoint": endpoint("InService", OLD)},
            ),
            (
                "the first version answers wrongly",
                "Deployment failed",
                {"Plan deployment": FIRST, "Verify deployment": Error("WrongAnswersError")},
            ),
        )
    ),
)
