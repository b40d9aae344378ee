"""CodePipeline as a service of the embedded AWS: pipelines are kept, not yet executed."""

import os
from pathlib import Path

from localcloud.codepipeline.pipelines import Pipelines
from localcloud.environment import STATE_VARIABLE
from localcloud.registry import Call, Permission, Service, pass_role

_PRINCIPAL = "codepipeline.amazonaws.com"


def service() -> Service:
    """Offer CodePipeline's control plane."""
    pipelines = Pipelines(Path(os.environ[STATE_VARIABLE]) / "services" / "pipelines.json")
    return Service(
        signing_name="codepipeline",
        models=("codepipeline",),
        operations={
            "CreatePipeline": pipelines.create,
            "UpdatePipeline": pipelines.update,
            "GetPipeline": pipelines.get,
            "GetPipelineState": pipelines.state,
            "ListPipelines": pipelines.list,
            "DeletePipeline": pipelines.delete,
            "TagResource": pipelines.tag,
            "UntagResource": pipelines.untag,
            "ListTagsForResource": pipelines.tags,
        },
        permissions=_permissions,
    )


def _permissions(call: Call) -> list[Permission]:
    parameters = call.parameters
    pipeline = parameters.get("pipeline", {})
    name = parameters.get("name") or pipeline.get("name")
    resource = parameters.get("resourceArn") or (call.arn(name) if name else "*")
    needed = [Permission(f"codepipeline:{call.operation}", resource)]
    if "roleArn" in pipeline:
        needed.append(pass_role(pipeline["roleArn"], _PRINCIPAL))
    return needed
