"""Tags of SageMaker resources, by ARN."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from localcloud.registry import Call
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.store import Store

KIND = "tags"


class Tags:
    """Adds, lists and deletes tags."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, scope: Scope, arn: str, tags: Sequence[Document]) -> None:
        """Replace all tags of a new resource."""
        self.forget(scope, arn)
        self._store.add(scope, KIND, _name(arn), {"Tags": list(tags)})

    def forget(self, scope: Scope, arn: str) -> None:
        """Drop the tags of a deleted resource."""
        self._store.remove(scope, KIND, _name(arn))

    def add(self, call: Call) -> Document:
        """Add tags; a key that exists gets the new value."""
        scope, arn = Scope.of(call), call.parameters["ResourceArn"]
        merged = {tag["Key"]: tag for tag in [*self._of(scope, arn), *call.parameters["Tags"]]}
        self.set(scope, arn, list(merged.values()))
        return {"Tags": list(merged.values())}

    def list(self, call: Call) -> Document:
        """List the tags of a resource."""
        return {"Tags": self._of(Scope.of(call), call.parameters["ResourceArn"])}

    def delete(self, call: Call) -> Document:
        """Delete tags by key."""
        scope, arn = Scope.of(call), call.parameters["ResourceArn"]
        gone = set(call.parameters["TagKeys"])
        self.set(scope, arn, [tag for tag in self._of(scope, arn) if tag["Key"] not in gone])
        return {}

    def _of(self, scope: Scope, arn: str) -> Sequence[Document]:
        document = self._store.find(scope, KIND, _name(arn)) or {"Tags": []}
        tags: Sequence[Document] = document["Tags"]
        return tags


def _name(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:32]
