"""Job definitions, as ministack's catalog holds them, with the fields it would lose."""

from __future__ import annotations

from typing import Any

from ministack.services import glue
from ministack.services.cloudformation import provisioners
from ministack.services.s3 import _buckets

Document = dict[str, Any]
KEPT = ("ExecutionProperty", "ExecutionClass", "LogUri", "NotificationProperty")


def find_job(name: str) -> Document | None:
    """Find a job of the account and region of the current request."""
    job: Document | None = glue._jobs.get(name)  # noqa: SLF001  ministack has no public reader
    return job


def all_buckets() -> list[str]:
    """Name the buckets of the account of the current request."""
    return sorted(_buckets)


def keep_every_field() -> None:
    """Make ministack keep what it drops from CreateJob, UpdateJob and AWS::Glue::Job."""
    create, update, fields = glue._create_job, glue._update_job, provisioners._glue_job_fields  # noqa: SLF001

    def create_job(data: Document) -> Any:
        answer = create(data)
        _keep(data.get("Name", ""), data)
        return answer

    def update_job(data: Document) -> Any:
        answer = update(data)
        _keep(data.get("JobName", ""), data.get("JobUpdate", {}))
        return answer

    def job_fields(properties: Document) -> Document:
        kept = {name: properties[name] for name in KEPT if name in properties}
        return {**fields(properties), **kept}

    glue._create_job = create_job  # noqa: SLF001
    glue._update_job = update_job  # noqa: SLF001
    provisioners._glue_job_fields = job_fields  # noqa: SLF001


def _keep(name: str, data: Document) -> None:
    job = find_job(name)
    if job is not None:
        job.update({field: data[field] for field in KEPT if field in data})
