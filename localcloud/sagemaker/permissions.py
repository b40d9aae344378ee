"""The IAM checks of each SageMaker operation, as the service authorization reference lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.registry import Call, Permission, pass_role
from localcloud.sagemaker.layout import PRINCIPAL
from localcloud.sagemaker.model_packages import model_package_arn
from localcloud.sagemaker.scope import Scope

# Request parameter that names the resource -> resource type in its ARN.
_NAMED = {
    "TrainingJobName": "training-job",
    "ProcessingJobName": "processing-job",
    "TransformJobName": "transform-job",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "ModelPackageGroupName": "model-package-group",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
}
_ROLES = ("RoleArn", "ExecutionRoleArn")
# They list what is below one resource, which is what the caller must be allowed.
_LISTS_BELOW = frozenset({"ListTags", "ListTrainingJobsForHyperParameterTuningJob"})


def permissions(call: Call) -> Sequence[Permission]:
    """Tell what the caller must be allowed."""
    action, context = f"sagemaker:{call.operation}", _tag_context(call.parameters)
    checks = [Permission(action, resource, context) for resource in _resources(call)]
    if call.operation.startswith("Create"):
        holders = (call.parameters, call.parameters.get("TrainingJobDefinition", {}))
        roles = [each[name] for each in holders for name in _ROLES if name in each]
        checks += [pass_role(role, PRINCIPAL) for role in roles]
    if call.operation.startswith("Create") and call.parameters.get("Tags"):
        checks += [Permission("sagemaker:AddTags", each, context) for each in _resources(call)[:1]]
    return checks + [_alarm(call, name) for name in _alarms(call.parameters)]


def _alarms(parameters: Mapping[str, Any]) -> list[str]:
    """Name the alarms that a deployment may be rolled back by; the caller must see their state."""
    rollback = parameters.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    return [each["AlarmName"] for each in rollback.get("Alarms", [])]


def _alarm(call: Call, name: str) -> Permission:
    resource = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
    return Permission("cloudwatch:DescribeAlarms", resource)


def _resources(call: Call) -> list[str]:
    if call.operation.startswith("List") and call.operation not in _LISTS_BELOW:
        return ["*"]
    if "ResourceArn" in call.parameters:
        return [call.parameters["ResourceArn"]]
    scope = Scope.of(call)
    if call.operation.endswith("ModelPackage"):
        return [model_package_arn(scope, call.parameters)]
    named = [n for n in _NAMED if n in call.parameters]
    if call.operation in ("CreateEndpoint", "UpdateEndpoint"):
        return [scope.arn(_NAMED[name], call.parameters[name]) for name in named]
    return [scope.arn(_NAMED[name], call.parameters[name]) for name in named[:1]] or ["*"]


def _tag_context(parameters: Mapping[str, Any]) -> dict[str, Any]:
    tags = parameters.get("Tags", [])
    context: dict[str, Any] = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags}
    return {**context, "aws:TagKeys": [tag["Key"] for tag in tags]} if tags else {}
