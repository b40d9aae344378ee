"""Glue job runs as a service of the embedded AWS, laid over ministack's catalog."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.glue.definitions import keep_every_field
from localcloud.glue.job_runs import JobRuns
from localcloud.glue.run_store import RunStore
from localcloud.jobs.machine import this_machine
from localcloud.registry import Call, Permission, Service


def service() -> Service:
    """Offer job runs; all else of Glue stays ministack's."""
    host = this_machine()
    runs = JobRuns(host, RunStore(host.folder("glue")))

    def start() -> None:
        keep_every_field()
        runs.recover()

    return Service(
        signing_name="glue",
        models=("glue",),
        operations={
            "StartJobRun": runs.start,
            "GetJobRun": runs.describe,
            "GetJobRuns": runs.list,
            "BatchStopJobRun": runs.stop,
        },
        permissions=_permissions,
        overlays=True,
        start=start,
    )


def _permissions(call: Call) -> Sequence[Permission]:
    return [Permission(f"glue:{call.operation}", call.arn(f"job/{call.parameters['JobName']}"))]
