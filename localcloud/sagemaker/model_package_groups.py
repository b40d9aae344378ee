"""Model package groups: the models of a registry, each with its versions."""

from __future__ import annotations

from localcloud.registry import Call
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

GROUP = "model-package-group"
PACKAGE = "model-package"
SUMMARY = (
    *("ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription"),
    *("CreationTime", "ModelPackageGroupStatus"),
)


class ModelPackageGroups:
    """Creates, describes, lists and deletes groups; keeps their policies."""

    def __init__(self, store: Store, tags: Tags) -> None:
        self._store = store
        self._tags = tags

    def create(self, call: Call) -> Document:
        """Create a group."""
        scope, request = Scope.of(call), dict(call.parameters)
        name, tags = request["ModelPackageGroupName"], request.pop("Tags", [])
        arn = scope.arn(GROUP, name)
        document = {
            **request,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": now(),
            "CreatedBy": {},
            "LatestVersion": 0,
        }
        if not self._store.add(scope, GROUP, name, document):
            raise invalid(f"Model Package Group already exists: {arn}")
        self._tags.set(scope, arn, tags)
        return {"ModelPackageGroupArn": arn}

    def describe(self, call: Call) -> Document:
        """Describe a group."""
        return find_group(self._store, Scope.of(call), call.parameters["ModelPackageGroupName"])

    def list(self, call: Call) -> Document:
        """List groups."""
        found, token = page(
            self._store.all(Scope.of(call), GROUP),
            call.parameters,
            name="ModelPackageGroupName",
            status="ModelPackageGroupStatus",
            fields=SUMMARY,
        )
        answer = {"ModelPackageGroupSummaryList": found}
        return {**answer, **({"NextToken": token} if token else {})}

    def delete(self, call: Call) -> Document:
        """Delete a group, which must be empty."""
        scope, group = Scope.of(call), self.describe(call)
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        held = [
            p for p in self._store.all(scope, PACKAGE) if p.get("ModelPackageGroupName") == name
        ]
        if held:
            raise invalid(
                f"Model Package Group {arn} cannot be deleted: it has {len(held)} Model Packages."
            )
        self._store.remove(scope, GROUP, name)
        self._tags.forget(scope, arn)
        return {}

    def put_policy(self, call: Call) -> Document:
        """Attach a resource policy; the embedded AWS keeps it but admits one account only."""
        group = self.describe(call)
        policy = call.parameters["ResourcePolicy"]
        name = group["ModelPackageGroupName"]
        self._store.change(Scope.of(call), GROUP, name, ResourcePolicy=policy)
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def get_policy(self, call: Call) -> Document:
        """Return the resource policy."""
        group = self.describe(call)
        if not group.get("ResourcePolicy"):
            raise invalid(f"Model Package Group {group['ModelPackageGroupArn']} has no policy.")
        return group

    def delete_policy(self, call: Call) -> Document:
        """Detach the resource policy."""
        name = self.get_policy(call)["ModelPackageGroupName"]
        self._store.change(Scope.of(call), GROUP, name, ResourcePolicy=None)
        return {}


def find_group(store: Store, scope: Scope, name: str) -> Document:
    """Find a group by its name or ARN, or refuse."""
    plain = name.rsplit("/", 1)[-1]
    for group in store.all(scope, GROUP):
        if name == group["ModelPackageGroupArn"] or plain == group["ModelPackageGroupName"]:
            return group
    raise invalid(f"ModelPackageGroup {scope.arn(GROUP, plain)} does not exist.")
