"""Applications: the operations, and the states they go through.

An application starts when a job comes (unless told otherwise) and stops after some idle minutes;
that stop is worked out when somebody looks, since nothing runs in an idle application.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.emr_serverless.documents import Document, Documents, page, presented
from localcloud.emr_serverless.names import application_arn
from localcloud.images import resolve
from localcloud.registry import Call, ServiceError
from localcloud.service_model import service_model

SERVICE = "emr-serverless"
ENGINE = "SPARK"
CONFIGURABLE = ("CREATED", "STOPPED")
TIMES = ("createdAt", "updatedAt")
CHANGEABLE = (
    "releaseLabel",
    "initialCapacity",
    "maximumCapacity",
    "autoStartConfiguration",
    "autoStopConfiguration",
    "networkConfiguration",
    "architecture",
    "imageConfiguration",
    "workerTypeSpecifications",
    "runtimeConfiguration",
    "monitoringConfiguration",
    "diskEncryptionConfiguration",
    "interactiveConfiguration",
    "schedulerConfiguration",
)
DEFAULTS: Mapping[str, Any] = {
    "architecture": "X86_64",
    "autoStartConfiguration": {"enabled": True},
    "autoStopConfiguration": {"enabled": True, "idleTimeoutMinutes": 15},
}
_ID_LETTERS = string.digits + string.ascii_lowercase


def new_id() -> str:
    """Make an id as EMR Serverless does: sixteen lower-case letters and digits."""
    return "00" + "".join(secrets.choice(_ID_LETTERS) for _ in range(14))


class Applications:
    """Creates, describes, lists, changes, starts, stops and deletes applications."""

    def __init__(self, documents: Documents, runs: Documents) -> None:
        self._documents = documents
        self._runs = runs

    def create(self, call: Call) -> Document:
        """Create an application; the same client token gives the same one."""
        given = dict(call.parameters)
        token = given.pop("clientToken")
        if given["type"].upper() != ENGINE:
            message = f"The embedded AWS runs {ENGINE} applications, not {given['type']}"
            raise ServiceError("ValidationException", message)
        with self._documents.lock:
            same = self._documents.all(lambda each: bool(each["token"] == token))
            made = same[0] if same else self._create(call, token, given)
        return {"applicationId": made["id"], "name": made.get("name"), "arn": made["arn"]}

    def get(self, call: Call) -> Document:
        """Describe an application."""
        return {"application": _presented(self.current(call.parameters["applicationId"]))}

    def list(self, call: Call) -> Document:
        """List applications, the newest first."""
        states = call.parameters.get("states", [])
        found = [self._settled(each) for each in self._documents.all(lambda _: True)]
        chosen = [each for each in found if not states or each["state"] in states]
        shown, more = page(chosen, call.parameters)
        fields = service_model(SERVICE).shape_for("ApplicationSummary").members
        return {"applications": [presented(each, list(fields), TIMES) for each in shown], **more}

    def update(self, call: Call) -> Document:
        """Change an application that is not started."""
        with self._documents.lock:
            application = self.current(call.parameters["applicationId"])
            _must_be(application, CONFIGURABLE, "updated")
            fields = {name: call.parameters[name] for name in CHANGEABLE if name in call.parameters}
            check_image(fields)
            return {"application": _presented(self._documents.change(application["id"], **fields))}

    def start(self, call: Call) -> Document:
        """Start an application."""
        with self._documents.lock:
            application = self.current(call.parameters["applicationId"])
            _must_be(application, (*CONFIGURABLE, "STARTED"), "started")
            self._documents.change(application["id"], state="STARTED")
        return {}

    def stop(self, call: Call) -> Document:
        """Stop an application that runs no job."""
        with self._documents.lock:
            application = self.current(call.parameters["applicationId"])
            _must_be(application, (*CONFIGURABLE, "STARTED"), "stopped")
            active = self._active(application["id"])
            if active:
                message = (
                    f"Application {application['id']} has {len(active)} job runs that have not "
                    "ended: cancel them, or wait"
                )
                raise ServiceError("ValidationException", message)
            self._documents.change(application["id"], state="STOPPED")
        return {}

    def delete(self, call: Call) -> Document:
        """Delete an application that is not started; it stays visible as terminated."""
        with self._documents.lock:
            application = self.current(call.parameters["applicationId"])
            _must_be(application, CONFIGURABLE, "deleted")
            self._documents.change(application["id"], state="TERMINATED")
        return {}

    def make_ready(self, name: str) -> Document:
        """Have an application take a job: it starts by itself unless it was told not to."""
        with self._documents.lock:
            application = self.current(name)
            _must_be(application, (*CONFIGURABLE, "STARTED"), "given a job")
            if application["state"] == "STARTED":
                return application
            if not application["autoStartConfiguration"].get("enabled", True):
                message = f"Application {name} is {application['state']} and does not start itself"
                raise ServiceError("ValidationException", message)
            return self._documents.change(name, state="STARTED")

    def current(self, name: str) -> Document:
        """Find an application, idle ones stopped."""
        found = self._documents.find(name)
        if found is None:
            message = f"Application {name} does not exist"
            raise ServiceError("ResourceNotFoundException", message, 404)
        return self._settled(found)

    def _create(self, call: Call, token: str, given: Document) -> Document:
        check_image(given)
        name = new_id()
        return self._documents.add(
            {
                **DEFAULTS,
                **given,
                "type": ENGINE.capitalize(),
                "id": name,
                "arn": application_arn(call, name),
                "state": "CREATED",
                "token": token,
            }
        )

    def _settled(self, application: Document) -> Document:
        """Stop an application that was idle for longer than it allows."""
        stop = application["autoStopConfiguration"]
        if application["state"] != "STARTED" or not stop.get("enabled", True):
            return application
        if self._active(application["id"]):
            return application
        ends = [each["updatedAt"] for each in self._runs_of(application["id"])]
        idle = time.time() - max([application["updatedAt"], *ends])
        if idle < 60 * stop.get("idleTimeoutMinutes", 15):
            return application
        details = "It was idle for longer than its auto-stop configuration allows."
        return self._documents.change(application["id"], state="STOPPED", stateDetails=details)

    def _active(self, name: str) -> Sequence[Document]:
        return [each for each in self._runs_of(name) if each.get("endedAt") is None]

    def _runs_of(self, name: str) -> Sequence[Document]:
        return self._runs.all(lambda each: bool(each["applicationId"] == name))


def check_image(given: Mapping[str, Any]) -> None:
    """Refuse an image that nobody pushed, as AWS does when an application is configured."""
    uri = given.get("imageConfiguration", {}).get("imageUri")
    if uri:
        resolve(uri)


def _must_be(application: Document, states: tuple[str, ...], what: str) -> None:
    if application["state"] not in states:
        message = (
            f"Application {application['id']} is {application['state']}; "
            f"it can be {what} in the states {', '.join(states)}"
        )
        raise ServiceError("ValidationException", message)


def _presented(application: Document) -> Document:
    fields = list(service_model(SERVICE).shape_for("Application").members)
    shown = presented({**application, "applicationId": application["id"]}, fields, TIMES)
    uri = application.get("imageConfiguration", {}).get("imageUri")
    if uri:
        shown["imageConfiguration"] = {"imageUri": uri, "resolvedImageDigest": resolve(uri).digest}
    return shown
