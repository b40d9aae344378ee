"""Walks through the deployment workflow."""

from __future__ import annotations

from typing import Any

from lambdas.inference.contract import (
    EndDeploymentResponse,
    JudgeCanaryResponse,
    PlanDeploymentResponse,
    RecordDeploymentResponse,
    VerifyArtefactResponse,
    VerifyDeploymentResponse,
)
from tests.e2e.walking import InTurn, Walk, Walks
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
            "containers": [
                {
                    "Image": IMAGE,
                    "ModelDataUrl": "s3://models/models/m-0/model.tar.gz",
                    "Environment": {"MODEL_VERSION": "2"},
                }
            ],
            "model_exists": False,
            "endpoint_config_exists": False,
            "endpoint_exists": True,
            "endpoint_failed": False,
            "already_serving": False,
            "previous_endpoint_config_name": OLD,
            "kind": "deploy",
            "nothing_to_do": False,
            "champion": "1",
            "trial_endpoint_name": "fb-trial",
            "tried_first": True,
            "guarded": True,
            "deployment_config": {},
            "leftovers": [],
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


FIRST = plan(endpoint_exists=False, champion="", tried_first=False, guarded=False)
del FIRST["previous_endpoint_config_name"]
LOOKED = document(JudgeCanaryResponse, verdict="go on", reason="", compared="", state={"seen": 0})
ENDED = document(EndDeploymentResponse, ended=True, removed=[], blocked=False)
CREATED = {"EndpointArn": f"{ARN}:endpoint/fb"}
ANSWERS = {
    "Plan deployment": plan(),
    "Verify artefact": document(VerifyArtefactResponse, version=2, artefact_sha256="0" * 64),
    "Delete failed endpoint": {},
    "Create model": {"ModelArn": f"{ARN}:model/fb-model-2"},
    "Create endpoint config": {"EndpointConfigArn": f"{ARN}:endpoint-config/{NEW}"},
    "Create trial endpoint": CREATED,
    "Describe trial endpoint": InTurn([endpoint("Creating"), endpoint("InService")]),
    "Ask trial endpoint": document(VerifyDeploymentResponse, version=2, verified=64),
    "Delete trial endpoint": {},
    "Begin to watch": LOOKED,
    "Create endpoint": CREATED,
    "Update endpoint": CREATED,
    "Describe endpoint": InTurn([endpoint("Updating", OLD), endpoint("InService")]),
    "Judge canary": LOOKED,
    "Verify deployment": document(VerifyDeploymentResponse, version=2, verified=64),
    "Record deployment": document(RecordDeploymentResponse, version=2, replaced_version=1),
    "End deployment": ENDED,
    "Undo deployment": ENDED,
}
WALKS = Walks(
    answers=ANSWERS,
    walks=tuple(
        Walk(name, ends_in, given={"version": 2}, answers=answers)
        for name, ends_in, answers in (
            ("a new version is tried, watched, and replaces the old one", "Model deployed", {}),
            (
                "a first version",
                "Model deployed",
                {
                    "Plan deployment": FIRST,
                    "Describe endpoint": InTurn([endpoint("Creating"), endpoint("InService")]),
                },
            ),
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
                "nothing was left undone",
                "Nothing was left undone",
                {"Plan deployment": plan(kind="repair", nothing_to_do=True)},
            ),
            (
                "the trial endpoint fails",
                "Deployment failed",
                {"Describe trial endpoint": endpoint("Failed")},
            ),
            (
                "SageMaker rolls back to the old config",
                "Deployment failed",
                {"Describe endpoint": endpoint("InService", OLD)},
            ),
        )
    ),
)
