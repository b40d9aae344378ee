"""CodePipeline as a service of the embedded AWS: pipelines are kept and carried out."""

import os
from pathlib import Path

from localcloud.codepipeline.engine import Engine
from localcloud.codepipeline.executions import Executions
from localcloud.codepipeline.pipelines import Pipelines
from localcloud.documents import Documents
from localcloud.environment import STATE_VARIABLE
from localcloud.jobs.machine import this_machine
from localcloud.registry import Call, Permission, Service, pass_role

_PRINCIPAL = "codepipeline.amazonaws.com"


def service() -> Service:
    """Offer pipelines and their executions."""
    pipelines = Pipelines(Path(os.environ[STATE_VARIABLE]) / "services" / "pipelines.json")
    host = this_machine()
    documents = Documents(host.folder("codepipeline"))
    executions = Executions(pipelines, documents, Engine(host, documents))
    return Service(
        signing_name="codepipeline",
        models=("codepipeline",),
        operations={
            "CreatePipeline": pipelines.create,
            "UpdatePipeline": pipelines.update,
            "GetPipeline": pipelines.get,
            "GetPipelineState": executions.state,
            "StartPipelineExecution": executions.start,
            "GetPipelineExecution": executions.get,
            "ListPipelineExecutions": executions.list,
            "ListActionExecutions": executions.list_actions,
            "StopPipelineExecution": executions.stop,
            "RetryStageExecution": executions.retry_stage,
            "RollbackStage": executions.rollback_stage,
            "PutApprovalResult": executions.approve,
            "DisableStageTransition": executions.disable,
            "EnableStageTransition": executions.enable,
            "ListPipelines": pipelines.list,
            "DeletePipeline": pipelines.delete,
            "TagResource": pipelines.tag,
            "UntagResource": pipelines.untag,
            "ListTagsForResource": pipelines.tags,
        },
        permissions=_permissions,
        start=executions.recover,
    )


def _permissions(call: Call) -> list[Permission]:
    parameters = call.parameters
    pipeline = parameters.get("pipeline", {})
    name = parameters.get("name") or parameters.get("pipelineName") or pipeline.get("name")
    # AWS checks what concerns a stage or an action on the stage's or the action's own ARN.
    inner = [parameters[member] for member in ("stageName", "actionName") if member in parameters]
    path = "/".join([name, *inner]) if name else ""
    resource = parameters.get("resourceArn") or (call.arn(path) if path else "*")
    needed = [Permission(f"codepipeline:{call.operation}", resource)]
    if "roleArn" in pipeline:
        needed.append(pass_role(pipeline["roleArn"], _PRINCIPAL))
    return needed
