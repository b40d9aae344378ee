"""Tags of applications and job runs, which are part of their documents."""

from __future__ import annotations

from localcloud.emr_serverless.documents import Document, Documents
from localcloud.registry import Call, ServiceError


class Tags:
    """Sets, removes and lists tags by ARN."""

    def __init__(self, *kinds: Documents) -> None:
        self._kinds = kinds

    def add(self, call: Call) -> Document:
        """Set tags; a key that exists gets the new value."""
        kind, document = self._find(call)
        tags = {**document.get("tags", {}), **call.parameters["tags"]}
        kind.change(document["id"], tags=tags)
        return {}

    def remove(self, call: Call) -> Document:
        """Remove tags by key."""
        kind, document = self._find(call)
        gone = call.parameters["tagKeys"]
        tags = {key: value for key, value in document.get("tags", {}).items() if key not in gone}
        kind.change(document["id"], tags=tags)
        return {}

    def list(self, call: Call) -> Document:
        """List the tags of a resource."""
        return {"tags": self._find(call)[1].get("tags", {})}

    def _find(self, call: Call) -> tuple[Documents, Document]:
        arn = call.parameters["resourceArn"]
        for kind in self._kinds:
            for document in kind.all(lambda each: bool(each["arn"] == arn)):
                return kind, document
        raise ServiceError("ResourceNotFoundException", f"{arn} does not exist", 404)
