"""Builds: started, described, stopped, tried again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.codebuild.execution import Execution
from localcloud.codebuild.presentation import presented
from localcloud.codebuild.projects import Projects
from localcloud.codebuild.reports import Reports
from localcloud.documents import Document, Documents
from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call, ServiceError

PRINCIPAL = "codebuild.amazonaws.com"
IN_PROGRESS = "IN_PROGRESS"
GRACE_SECONDS = 5.0
OVERRIDES = {
    "sourceVersion": "sourceVersion",
    "secondarySourcesOverride": "secondarySources",
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "cacheOverride": "cache",
    "logsConfigOverride": "logsConfig",
    "encryptionKeyOverride": "encryptionKey",
}
SOURCE_OVERRIDES = {
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
    "buildspecOverride": "buildspec",
}


class Builds:
    """Starts builds and knows what became of them."""

    def __init__(
        self, host: Host, projects: Projects, documents: Documents, reports: Reports
    ) -> None:
        self._host = host
        self._projects = projects
        self._documents = documents
        self._reports = reports
        self._runs = Runs()

    def start(self, call: Call) -> Document:
        """Start a build of a project."""
        project = self._projects.find(call.parameters["projectName"])
        settings = _settings(project, call.parameters)
        limit = project.get("concurrentBuildLimit")
        active = [b for b in self._of(project["name"]) if b["buildStatus"] == IN_PROGRESS]
        if limit and len(active) >= limit:
            message = f"Cannot have more than {limit} builds in queue for the project"
            raise ServiceError("AccountLimitExceededException", message)
        return self._begin(call, project, settings)

    def retry(self, call: Call) -> Document:
        """Start a build again with what it was started with."""
        build = self._find(call.parameters["id"])
        project = self._projects.find(build["projectName"])
        return self._begin(call, project, build["settings"])

    def batch_get(self, call: Call) -> Document:
        """Describe builds by id or ARN."""
        known = self._documents.all()
        ids = {each: _id(each) for each in call.parameters["ids"]}
        return {
            "builds": [_presented(known[each]) for each in ids.values() if each in known],
            "buildsNotFound": [given for given, each in ids.items() if each not in known],
        }

    def list(self, call: Call) -> Document:
        """Name all builds, the newest first unless told otherwise."""
        return {"ids": _sorted(self._documents.all().values(), call)}

    def list_of_project(self, call: Call) -> Document:
        """Name the builds of a project."""
        project = self._projects.find(call.parameters["projectName"])
        return {"ids": _sorted(self._of(project["name"]), call)}

    def stop(self, call: Call) -> Document:
        """Stop a build; one that has ended stays as it is."""
        build = self._find(call.parameters["id"])
        self._runs.stop(build["id"])
        return {"build": _presented(self._find(build["id"]))}

    def recover(self) -> None:
        """Say of builds that a stop of the embedded AWS interrupted that they failed."""
        fields = {"buildStatus": "FAULT", "currentPhase": "COMPLETED", "buildComplete": True}
        for name, build in self._documents.all().items():
            if build["buildStatus"] == IN_PROGRESS:
                self._documents.change(name, lambda kept: kept.update(fields, endTime=time.time()))

    def _begin(self, call: Call, project: Document, settings: Document) -> Document:
        role = self._host.role_environment(
            settings["serviceRole"], PRINCIPAL, f"AWSCodeBuild-{uuid.uuid4()}"
        )
        build = self._record(call, project, settings)
        self._documents.put(build["id"], build)
        run = Run(GRACE_SECONDS)
        work = Execution(self._host, self._documents, self._reports, run, role, build)
        self._runs.begin(build["id"], run, work)
        return {"build": _presented(build)}

    def _record(self, call: Call, project: Document, settings: Document) -> Document:
        build_id = f"{project['name']}:{uuid.uuid4()}"
        moment = time.time()
        cloud_watch = settings.get("logsConfig", {}).get("cloudWatchLogs", {})
        return {
            "id": build_id,
            "arn": call.arn(f"build/{build_id}"),
            "buildNumber": len(self._of(project["name"])) + 1,
            "projectName": project["name"],
            "startTime": moment,
            "currentPhase": "QUEUED",
            "buildStatus": IN_PROGRESS,
            "buildComplete": False,
            "phases": [],
            "initiator": call.caller.arn.rpartition(":")[2],
            "logs": {
                "groupName": cloud_watch.get("groupName", f"/aws/codebuild/{project['name']}"),
                "streamName": build_id.partition(":")[2],
            },
            "exportedEnvironmentVariables": [],
            "reportArns": [],
            "artifacts": _delivered(settings.get("artifacts", {})),
            "settings": settings,
        }

    def _of(self, project_name: str) -> Sequence[Document]:
        builds = self._documents.all().values()
        return [build for build in builds if build["projectName"] == project_name]

    def _find(self, given: str) -> Document:
        build = self._documents.get(_id(given))
        if build is None:
            raise ServiceError("ResourceNotFoundException", f"Build cannot be found: {given}")
        return build


def _settings(project: Document, given: Mapping[str, Any]) -> Document:
    """Lay what a build is started with over what its project says."""
    settings = {name: value for name, value in project.items() if name not in ("tags", "badge")}
    for name, field in OVERRIDES.items():
        if name in given:
            settings[field] = given[name]
    source = dict(project.get("source", {"type": "NO_SOURCE"}))
    source |= {field: given[name] for name, field in SOURCE_OVERRIDES.items() if name in given}
    environment = dict(project.get("environment", {}))
    variables = {each["name"]: each for each in environment.get("environmentVariables", [])}
    variables |= {each["name"]: each for each in given.get("environmentVariablesOverride", [])}
    environment["environmentVariables"] = list(variables.values())
    return {**settings, "source": source, "environment": environment}


def _delivered(artifacts: Mapping[str, Any]) -> Document:
    """Say where a build's artefacts go."""
    if artifacts.get("type") != "S3":
        return {}
    parts = (artifacts["location"], artifacts.get("path", ""), artifacts.get("name", ""))
    return {"location": f"arn:aws:s3:::{'/'.join(part for part in parts if part)}"}


def _presented(build: Document) -> Document:
    shown = ("source", "environment", "serviceRole", "timeoutInMinutes", "cache")
    settings = {name: build["settings"][name] for name in shown if name in build["settings"]}
    own = {name: value for name, value in build.items() if name != "settings"}
    return presented({**settings, **own})


def _id(given: str) -> str:
    return given.partition(":build/")[2] or given


def _sorted(builds: Any, call: Call) -> list[str]:
    descending = call.parameters.get("sortOrder", "DESCENDING") == "DESCENDING"
    ordered = sorted(builds, key=lambda build: build["startTime"], reverse=descending)
    return [build["id"] for build in ordered]
