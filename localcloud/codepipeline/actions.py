"""What an action does, by its provider: fetch a source, run a build, wait for an approval.

An action runs under its own role, which the pipeline's role assumes, or under the pipeline's.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.jobs import completions
from localcloud.jobs.host import client

Document = dict[str, Any]
LOOK_SECONDS = 1.0
LOOKS_A_QUESTION = 30
"""So often the service is asked, in case the word of a build's end was missed."""
APPROVAL_MINUTES = 7 * 24 * 60
SUMMARY_METADATA = "codepipeline-artifact-revision-summary"


class ActionFailedError(Exception):
    """An action did not succeed; the message is what `GetPipelineState` shows."""


@dataclass
class ActionRun:
    """One run of an action: what it is given, and where it tells how it goes."""

    pipeline: str
    execution_id: str
    declaration: Mapping[str, Any]
    configuration: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, str]]
    """Bucket and key of each input artefact."""
    store: Mapping[str, str]
    """Bucket of the artefacts."""
    revision: str
    """Revision of the source that the execution carries."""
    role: Mapping[str, str]
    tell: Callable[[Document], None]
    """Changes the fields of the action's latest execution."""
    stopped: threading.Event
    decisions: Mapping[str, Any] = field(default_factory=dict)

    def target(self, artefact: str) -> dict[str, str]:
        """Say where an output artefact goes."""
        key = f"{self.pipeline[:20]}/{artefact[:10]}/{uuid.uuid4().hex[:7]}"
        return {"bucket": self.store["location"], "key": key}


@dataclass(frozen=True)
class ActionResult:
    """What an action leaves: artefacts by name, variables, the revision of a source."""

    artefacts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    revision: Mapping[str, str] = field(default_factory=dict)


def fetch_s3_source(run: ActionRun) -> ActionResult:
    """Copy an object's current version to the artefact store."""
    s3 = client("s3", run.role)
    bucket, key = run.configuration["S3Bucket"], run.configuration["S3ObjectKey"]
    wanted = {"VersionId": run.revision} if run.revision else {}
    head = s3.head_object(Bucket=bucket, Key=key, **wanted)
    version = head.get("VersionId", "")
    (output,) = [each["name"] for each in run.declaration["outputArtifacts"]]
    target = run.target(output)
    source = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    s3.copy_object(CopySource=source, Bucket=target["bucket"], Key=target["key"])
    etag = head["ETag"].strip('"')
    summary = head["Metadata"].get(SUMMARY_METADATA, f"Amazon S3 version id: {version}")
    variables = {"BucketName": bucket, "ObjectKey": key, "ETag": etag, "VersionId": version}
    revision = {"id": version or etag, "summary": summary}
    return ActionResult({output: target}, variables, revision)


def run_build(run: ActionRun) -> ActionResult:
    """Start a build of a project on the input artefacts and wait for its end."""
    builds = client("codebuild", run.role)
    outputs = {each["name"]: run.target(each["name"]) for each in _outputs(run)}
    request = _build_request(run, outputs)
    build = builds.start_build(**request)["build"]
    run.tell({"externalExecutionId": build["id"]})
    looks = 0
    while not completions.wait(build["arn"], LOOK_SECONDS):
        if run.stopped.is_set():
            message = f"The action was abandoned; build {build['id']} goes on"
            raise ActionFailedError(message)
        looks += 1
        if looks % LOOKS_A_QUESTION == 0:
            build = builds.batch_get_builds(ids=[build["id"]])["builds"][0]
            if build["buildComplete"]:
                break
    build = builds.batch_get_builds(ids=[build["id"]])["builds"][0]
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailedError(_why(build))
    variables = {each["name"]: each["value"] for each in build["exportedEnvironmentVariables"]}
    return ActionResult(outputs, variables)


def _outputs(run: ActionRun) -> list[Mapping[str, str]]:
    return list(run.declaration.get("outputArtifacts", []))


def _build_request(run: ActionRun, outputs: Mapping[str, Mapping[str, str]]) -> Document:
    names = list(run.inputs)
    primary = run.configuration.get("PrimarySource", names[0])
    given = json.loads(run.configuration.get("EnvironmentVariables", "[]"))
    request: Document = {
        "projectName": run.configuration["ProjectName"],
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": _location(run.inputs[primary]),
        "secondarySourcesOverride": [
            {"type": "S3", "location": _location(run.inputs[name]), "sourceIdentifier": name}
            for name in names
            if name != primary
        ],
        "environmentVariablesOverride": given,
        "artifactsOverride": {"type": "NO_ARTIFACTS"},
    }
    if run.revision:
        request["sourceVersion"] = run.revision
    if len(outputs) == 1:
        request["artifactsOverride"] = _artefact(next(iter(outputs.values())))
    elif outputs:
        request["secondaryArtifactsOverride"] = [
            {**_artefact(target), "artifactIdentifier": name} for name, target in outputs.items()
        ]
    return request


def _location(artefact: Mapping[str, str]) -> str:
    return f"{artefact['bucket']}/{artefact['key']}"


def _artefact(target: Mapping[str, str]) -> Document:
    path, _, name = target["key"].rpartition("/")
    place = {"location": target["bucket"], "path": path, "name": name}
    return {"type": "S3", **place, "packaging": "ZIP", "namespaceType": "NONE"}


def _why(build: Mapping[str, Any]) -> str:
    contexts = [c["message"] for p in build["phases"] for c in p.get("contexts", [])]
    reason = "; ".join(message for message in contexts if message)
    return f"Build {build['id']} ended as {build['buildStatus']}. {reason}".strip()


class Approvals:
    """Manual approvals that wait for a person's word; each has a token of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._decided: dict[str, Mapping[str, str] | None] = {}

    def run(self, run: ActionRun) -> ActionResult:
        """Wait for the word, at most seven days or as long as the action says."""
        token = str(uuid.uuid4())
        with self._changed:
            self._decided[token] = None
        run.tell({"token": token, "summary": run.configuration.get("CustomData", "")})
        self._notify(run, token)
        limit = 60 * int(run.declaration.get("timeoutInMinutes", APPROVAL_MINUTES))
        with self._changed:
            self._changed.wait_for(lambda: self._decided[token] or run.stopped.is_set(), limit)
            word = self._decided.pop(token)
        if word is None:
            reason = "was abandoned" if run.stopped.is_set() else "was not given in time"
            message = f"The approval {reason}"
            raise ActionFailedError(message)
        run.tell({"summary": word["summary"], "lastUpdatedBy": word["by"], "token": ""})
        if word["status"] != "Approved":
            message = f"Rejected by {word['by']}: {word['summary']}"
            raise ActionFailedError(message)
        return ActionResult()

    def decide(self, token: str, word: Mapping[str, str]) -> bool:
        """Give the word for a token; tell whether somebody waited for it."""
        with self._changed:
            if self._decided.get(token, word) is not None:
                return False
            self._decided[token] = word
            self._changed.notify_all()
            return True

    def look_again(self) -> None:
        """Have everyone who waits look whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    def _notify(self, run: ActionRun, token: str) -> None:
        topic = run.configuration.get("NotificationArn")
        if topic:
            approval = {
                "pipelineName": run.pipeline,
                "actionName": run.declaration["name"],
                "token": token,
                "customData": run.configuration.get("CustomData"),
            }
            client("sns", run.role).publish(
                TopicArn=topic,
                Subject=f"APPROVAL NEEDED: {run.pipeline}"[:100],
                Message=json.dumps({"approval": approval}),
            )
