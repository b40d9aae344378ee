"""Build projects: kept, described, and made by CloudFormation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from localcloud.codebuild.presentation import presented
from localcloud.documents import Document, Documents
from localcloud.registry import Call, ServiceError

KEPT = (
    "description",
    "source",
    "secondarySources",
    "sourceVersion",
    "artifacts",
    "secondaryArtifacts",
    "cache",
    "environment",
    "serviceRole",
    "timeoutInMinutes",
    "queuedTimeoutInMinutes",
    "encryptionKey",
    "tags",
    "vpcConfig",
    "logsConfig",
    "concurrentBuildLimit",
)
DEFAULTS: Mapping[str, Any] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "badge": {"badgeEnabled": False},
}


class Projects:
    """Creates, changes, describes and deletes projects."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def create(self, call: Call) -> Document:
        """Keep a new project."""
        name = call.parameters["name"]
        project = self._made(name, call.arn(f"project/{name}"), call.parameters)
        if not self._documents.add(name, project):
            raise ServiceError("ResourceAlreadyExistsException", f"Project already exists: {name}")
        return {"project": presented(project)}

    def update(self, call: Call) -> Document:
        """Change the fields of a project that are given."""
        name = call.parameters["name"]
        given = {field: call.parameters[field] for field in KEPT if field in call.parameters}
        self.find(name)
        self._documents.change(name, lambda kept: kept.update(given, lastModified=time.time()))
        return {"project": presented(self.find(name))}

    def batch_get(self, call: Call) -> Document:
        """Describe projects by name or ARN."""
        known = self._documents.all()
        names = {each: each.rpartition("/")[2] for each in call.parameters["names"]}
        return {
            "projects": [presented(known[name]) for name in names.values() if name in known],
            "projectsNotFound": [each for each, name in names.items() if name not in known],
        }

    def list(self, call: Call) -> Document:
        """Name all projects."""
        descending = call.parameters.get("sortOrder") == "DESCENDING"
        return {"projects": sorted(self._documents.all(), reverse=descending)}

    def delete(self, call: Call) -> Document:
        """Forget a project; AWS does not mind if there is none."""
        self._documents.remove(call.parameters["name"].rpartition("/")[2])
        return {}

    def find(self, name: str) -> Document:
        """Copy a project.

        Raises:
            ServiceError: there is none of that name.

        """
        project = self._documents.get(name.rpartition("/")[2])
        if project is None:
            raise ServiceError("ResourceNotFoundException", f"Project cannot be found: {name}")
        return project

    def _made(self, name: str, arn: str, given: Mapping[str, Any]) -> Document:
        moment = time.time()
        kept = {field: given[field] for field in KEPT if field in given}
        times = {"created": moment, "lastModified": moment}
        return {**DEFAULTS, **kept, "name": name, "arn": arn, **times}
