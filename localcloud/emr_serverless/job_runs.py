"""Job runs: the operations."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.emr_serverless.applications import SERVICE, Applications, new_id
from localcloud.emr_serverless.documents import Document, Documents, page, presented
from localcloud.emr_serverless.execution import Execution
from localcloud.emr_serverless.names import job_run_arn
from localcloud.emr_serverless.spark_submit import SubmitError, parse_submit
from localcloud.glue.definitions import all_buckets
from localcloud.images import resolve
from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call, ServiceError
from localcloud.service_model import service_model
from localcloud.spark_jobs.execution import STOP_GRACE_SECONDS

PRINCIPAL = "emr-serverless.amazonaws.com"
SESSION = "EMRServerlessJobRun"
TIMES = ("createdAt", "updatedAt", "startedAt", "endedAt", "attemptCreatedAt", "attemptUpdatedAt")
KEPT = (
    "name",
    "applicationId",
    "jobDriver",
    "configurationOverrides",
    "executionTimeoutMinutes",
    "mode",
    "retryPolicy",
    "tags",
)


class JobRuns:
    """Starts, describes, lists and cancels job runs."""

    def __init__(self, host: Host, documents: Documents, applications: Applications) -> None:
        self._host = host
        self._documents = documents
        self._applications = applications
        self._runs = Runs()

    def start(self, call: Call) -> Document:
        """Start a job run; the same client token gives the run that it started."""
        with self._documents.lock:
            run = self._same(call) or self._start(call)
        return {"applicationId": run["applicationId"], "jobRunId": run["id"], "arn": run["arn"]}

    def get(self, call: Call) -> Document:
        """Describe a job run."""
        run = self._find(call)
        fields = list(service_model(SERVICE).shape_for("JobRun").members)
        return {"jobRun": presented(_named(run), fields, TIMES)}

    def list(self, call: Call) -> Document:
        """List the job runs of an application, the newest first."""
        self._applications.current(call.parameters["applicationId"])
        chosen = self._documents.all(lambda run: _is_asked_for(run, call.parameters))
        shown, more = page(chosen, call.parameters)
        fields = list(service_model(SERVICE).shape_for("JobRunSummary").members)
        kinds = {"type": "SPARK"}
        return {"jobRuns": [presented({**run, **kinds}, fields, TIMES) for run in shown], **more}

    def cancel(self, call: Call) -> Document:
        """Cancel a job run."""
        with self._documents.lock:
            run = self._find(call)
            if run.get("endedAt") is not None:
                message = f"Job run {run['id']} has ended: it is {run['state']}"
                raise ServiceError("ValidationException", message)
            self._documents.change(run["id"], state="CANCELLING")
        self._runs.stop(run["id"])
        return {"applicationId": run["applicationId"], "jobRunId": run["id"]}

    def recover(self) -> None:
        """Say of runs that a stop of the embedded AWS interrupted that they failed."""
        for run in self._documents.all(lambda each: each.get("endedAt") is None):
            details = "The embedded AWS was stopped meanwhile."
            self._documents.change(
                run["id"], state="FAILED", stateDetails=details, endedAt=time.time()
            )

    def _same(self, call: Call) -> Document | None:
        wanted = (call.parameters["applicationId"], call.parameters["clientToken"])
        found = self._documents.all(lambda run: (run["applicationId"], run["token"]) == wanted)
        return found[0] if found else None

    def _start(self, call: Call) -> Document:
        given = call.parameters
        driver = _driver(given)
        defaults = _defaults(given)
        _check(driver, defaults)
        role = self._host.role_environment(given["executionRoleArn"], PRINCIPAL, SESSION)
        application = self._applications.make_ready(given["applicationId"])
        run_id = new_id()
        specification = {
            "name": given.get("name", run_id),
            "driver": driver,
            "defaults": {**_settings(application.get("runtimeConfiguration", [])), **defaults},
            "image": _image(application),
            "buckets": all_buckets(),
        }
        made = self._documents.add(
            {
                **{name: given[name] for name in KEPT if name in given},
                "id": run_id,
                "arn": job_run_arn(call, given["applicationId"], run_id),
                "createdBy": call.caller.arn,
                "executionRole": given["executionRoleArn"],
                "releaseLabel": application["releaseLabel"],
                "state": "SUBMITTED",
                "stateDetails": "",
                "attempt": 1,
                "token": given["clientToken"],
                "specification": specification,
            }
        )
        run = Run(STOP_GRACE_SECONDS)
        self._runs.begin(run_id, run, Execution(self._host, self._documents, run, role, made))
        return made

    def _find(self, call: Call) -> Document:
        name, run_id = call.parameters["applicationId"], call.parameters["jobRunId"]
        run = self._documents.find(run_id)
        if run is None or run["applicationId"] != name:
            message = f"Job run {run_id} of application {name} does not exist"
            raise ServiceError("ResourceNotFoundException", message, 404)
        return run


def _named(run: Document) -> Document:
    return {**run, "jobRunId": run["id"]}


def _driver(given: Mapping[str, Any]) -> Document:
    driver = given.get("jobDriver", {})
    if "sparkSubmit" not in driver:
        message = f"jobDriver is {sorted(driver)}; the embedded AWS runs sparkSubmit jobs only"
        raise ServiceError("ValidationException", message)
    if given.get("mode", "BATCH") != "BATCH":
        message = f"mode is {given['mode']}; the embedded AWS runs BATCH jobs only"
        raise ServiceError("ValidationException", message)
    return dict(driver["sparkSubmit"])


def _check(driver: Document, defaults: Mapping[str, str]) -> None:
    """Refuse at once what the launcher could not run."""
    entry_point = driver["entryPoint"]
    if not entry_point.startswith("s3://") or not entry_point.endswith(".py"):
        message = f"entryPoint is {entry_point}; the embedded AWS runs s3://…/….py"
        raise ServiceError("ValidationException", message)
    try:
        parse_submit(driver.get("sparkSubmitParameters", ""), defaults)
    except SubmitError as error:
        raise ServiceError("ValidationException", str(error)) from error


def _defaults(given: Mapping[str, Any]) -> dict[str, str]:
    overrides = given.get("configurationOverrides", {})
    return _settings(overrides.get("applicationConfiguration", []))


def _settings(configurations: Any) -> dict[str, str]:
    """Read the settings of `spark-defaults`; other files of configuration have no reader here."""
    settings: dict[str, str] = {}
    for each in configurations:
        if each["classification"] != "spark-defaults":
            message = (
                f"classification is {each['classification']}; the embedded AWS reads spark-defaults"
            )
            raise ServiceError("ValidationException", message)
        settings |= each.get("properties", {})
    return settings


def _image(application: Document) -> Document:
    """Give the root and the variables of an application's image; none of EMR's own."""
    uri = application.get("imageConfiguration", {}).get("imageUri")
    if not uri:
        return {"root": "", "environment": {}}
    image = resolve(uri)
    return {"root": str(image.rootfs), "environment": image.env}


def _is_asked_for(run: Document, parameters: Mapping[str, Any]) -> bool:
    created = run["createdAt"]
    return (
        run["applicationId"] == parameters["applicationId"]
        and (not parameters.get("states") or run["state"] in parameters["states"])
        and created >= _moment(parameters.get("createdAtAfter"), 0)
        and created <= _moment(parameters.get("createdAtBefore"), float("inf"))
    )


def _moment(value: datetime | None, default: float) -> float:
    return value.timestamp() if value else default
