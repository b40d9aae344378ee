"""CodeBuild as a service of the embedded AWS."""

from __future__ import annotations

from localcloud.codebuild.builds import Builds
from localcloud.codebuild.permissions import permissions
from localcloud.codebuild.projects import Projects
from localcloud.codebuild.reports import Reports
from localcloud.documents import Documents
from localcloud.jobs.machine import this_machine
from localcloud.registry import Service


def service() -> Service:
    """Offer projects, builds and reports."""
    host = this_machine()
    projects = Projects(Documents(host.folder("codebuild", "projects")))
    reports = Reports(Documents(host.folder("codebuild", "reports")))
    builds = Builds(host, projects, Documents(host.folder("codebuild", "builds")), reports)
    return Service(
        signing_name="codebuild",
        models=("codebuild",),
        operations={
            "CreateProject": projects.create,
            "UpdateProject": projects.update,
            "BatchGetProjects": projects.batch_get,
            "ListProjects": projects.list,
            "DeleteProject": projects.delete,
            "StartBuild": builds.start,
            "RetryBuild": builds.retry,
            "StopBuild": builds.stop,
            "BatchGetBuilds": builds.batch_get,
            "ListBuilds": builds.list,
            "ListBuildsForProject": builds.list_of_project,
            "BatchGetReports": reports.batch_get,
            "ListReports": reports.list,
            "ListReportsForReportGroup": reports.list,
            "ListReportGroups": reports.groups,
            "DescribeTestCases": reports.test_cases,
            "DescribeCodeCoverages": reports.code_coverages,
        },
        permissions=permissions,
        start=builds.recover,
    )
