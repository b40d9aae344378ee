"""EMR Serverless as a service of the embedded AWS."""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.emr_serverless.applications import Applications
from localcloud.emr_serverless.documents import Documents
from localcloud.emr_serverless.job_runs import PRINCIPAL, JobRuns
from localcloud.emr_serverless.names import application_arn, job_run_arn
from localcloud.emr_serverless.resource_type import KIND, application_type
from localcloud.emr_serverless.tags import Tags
from localcloud.jobs.machine import this_machine
from localcloud.registry import Call, Permission, Service, pass_role

SIGNING_NAME = "emr-serverless"


def service() -> Service:
    """Offer applications and job runs of Spark."""
    host = this_machine()
    runs = Documents(host.folder("emr-serverless", "job-runs"))
    known = Documents(host.folder("emr-serverless", "applications"))
    applications = Applications(known, runs)
    job_runs = JobRuns(host, runs, applications)
    tags = Tags(known, runs)
    return Service(
        signing_name=SIGNING_NAME,
        models=(SIGNING_NAME,),
        operations={
            "CreateApplication": applications.create,
            "GetApplication": applications.get,
            "ListApplications": applications.list,
            "UpdateApplication": applications.update,
            "StartApplication": applications.start,
            "StopApplication": applications.stop,
            "DeleteApplication": applications.delete,
            "StartJobRun": job_runs.start,
            "GetJobRun": job_runs.get,
            "ListJobRuns": job_runs.list,
            "CancelJobRun": job_runs.cancel,
            "TagResource": tags.add,
            "UntagResource": tags.remove,
            "ListTagsForResource": tags.list,
        },
        permissions=_permissions,
        resource_types={KIND: application_type()},
        start=job_runs.recover,
    )


def _permissions(call: Call) -> Sequence[Permission]:
    given = call.parameters
    needed = [Permission(f"{SIGNING_NAME}:{call.operation}", _resource(call))]
    if call.operation == "StartJobRun":
        needed.append(pass_role(given["executionRoleArn"], PRINCIPAL))
    return needed


def _resource(call: Call) -> str:
    given = call.parameters
    if "resourceArn" in given:
        return str(given["resourceArn"])
    application = given.get("applicationId", "*")
    if "jobRunId" in given:
        return job_run_arn(call, application, given["jobRunId"])
    return application_arn(call, application)
