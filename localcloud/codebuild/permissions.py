"""What the caller of a CodeBuild operation must be allowed to do."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.registry import Call, Permission, pass_role

PRINCIPAL = "codebuild.amazonaws.com"


def permissions(call: Call) -> Sequence[Permission]:
    """Name the checks: on the project that a request is about, and on the role that it hands on."""
    action = f"codebuild:{call.operation}"
    needed = [Permission(action, resource) for resource in _resources(call)]
    role = call.parameters.get("serviceRole") or call.parameters.get("serviceRoleOverride")
    return [*needed, pass_role(role, PRINCIPAL)] if role else needed


def _resources(call: Call) -> Sequence[str]:
    """Name the projects, or report groups, of a request; builds belong to their project."""
    given = call.parameters
    builds = given.get("ids") or [given[name] for name in ("id",) if name in given]
    names = [_project(each) for each in builds] or given.get("names", [])
    for member in ("projectName", "name"):
        if member in given:
            names = [given[member]]
    if names:
        return [call.arn(f"project/{name.rpartition('/')[2]}") for name in names]
    arn = given.get("reportGroupArn") or given.get("reportArn")
    return [arn or "*"]


def _project(build: str) -> str:
    """Give the project of a build's id or ARN."""
    return build.rpartition("/")[2].partition(":")[0]
