"""The IAM checks of each operation of Feature Store."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.featurestore.catalog import DATABASE, table_of
from localcloud.featurestore.definition import KIND, group_name
from localcloud.registry import Call, Permission, pass_role
from localcloud.sagemaker.layout import PRINCIPAL
from localcloud.sagemaker.scope import Scope

LISTED = {"BatchGetRecord": "Identifiers", "BatchWriteRecord": "Entries"}


def permissions(call: Call) -> Sequence[Permission]:
    """Tell what the caller must be allowed."""
    if call.operation == "ListFeatureGroups":
        return [Permission("sagemaker:ListFeatureGroups")]
    actions = [f"sagemaker:{call.operation}"]
    if call.operation == "BatchWriteRecord":
        actions.append("sagemaker:PutRecord")
    checks = [Permission(action, group) for group in _groups(call) for action in actions]
    return checks + (_creation(call) if call.operation == "CreateFeatureGroup" else [])


def _groups(call: Call) -> list[str]:
    items = call.parameters[LISTED[call.operation]] if call.operation in LISTED else None
    names = {each["FeatureGroupName"] for each in items or [call.parameters]}
    return sorted(Scope.of(call).arn(KIND, group_name(name)) for name in names)


def _creation(call: Call) -> list[Permission]:
    """Add what creation touches: a role that is passed, tags, the offline store's table."""
    request, scope = call.parameters, Scope.of(call)
    checks = [pass_role(request["RoleArn"], PRINCIPAL)] if "RoleArn" in request else []
    if request.get("Tags"):
        arn = scope.arn(KIND, request["FeatureGroupName"])
        checks.append(Permission("sagemaker:AddTags", arn))
    offline = request.get("OfflineStoreConfig", {})
    if not offline or offline.get("DisableGlueTableCreation"):
        return checks
    table = table_of(request["FeatureGroupName"], 0, offline) or {}
    account = f"arn:aws:glue:{scope.region}:{scope.account}"
    if table["Database"] == DATABASE:
        checks.append(Permission("glue:CreateDatabase", f"{account}:database/{DATABASE}"))
    name = f"{table['Database']}/{table['TableName']}"
    return [*checks, Permission("glue:CreateTable", f"{account}:table/{name}")]
