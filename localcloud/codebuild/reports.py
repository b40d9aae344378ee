"""Reports of builds: groups, what the tests of each build came to, and what they covered."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from localcloud.codebuild import cobertura, junit
from localcloud.codebuild.presentation import presented
from localcloud.documents import Document, Documents
from localcloud.registry import Call, ServiceError

PAGE = 100


class Reports:
    """Keeps reports with their test cases."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add_tests(self, build: Document, group: str, cases: Sequence[Document]) -> str:
        """Keep what a build's tests came to; give the report's ARN."""
        failed = any(case["status"] in ("FAILED", "ERROR") for case in cases)
        about = {
            "type": "TEST",
            "status": "FAILED" if failed else "SUCCEEDED",
            "testSummary": junit.summary(cases),
        }
        return self._add(build, group, about, {"cases": list(cases)})

    def add_coverage(self, build: Document, group: str, files: Sequence[Document]) -> str:
        """Keep what a build's tests covered; give the report's ARN."""
        about = {
            "type": "CODE_COVERAGE",
            "status": "SUCCEEDED",
            "codeCoverageSummary": cobertura.summary(files),
        }
        return self._add(build, group, about, {"files": list(files)})

    def _add(self, build: Document, group: str, about: Document, kept: Document) -> str:
        """Keep a report in a group named after the build's project."""
        prefix = build["arn"].partition(":build/")[0]
        group_arn = f"{prefix}:report-group/{build['projectName']}-{group}"
        arn = f"{prefix}:report/{group_arn.rpartition('/')[2]}:{uuid.uuid4()}"
        report = {
            "arn": arn,
            "name": group,
            "reportGroupArn": group_arn,
            "executionId": build["arn"],
            "created": time.time(),
            **about,
        }
        self._documents.put(arn, {"report": report, **kept})
        return arn

    def batch_get(self, call: Call) -> Document:
        """Describe reports by ARN."""
        known = self._documents.all()
        arns = call.parameters["reportArns"]
        return {
            "reports": [presented(known[arn]["report"]) for arn in arns if arn in known],
            "reportsNotFound": [arn for arn in arns if arn not in known],
        }

    def list(self, call: Call) -> Document:
        """Name all reports, or those of one group."""
        group = call.parameters.get("reportGroupArn")
        return {"reports": [arn for arn, each in self._all() if not group or _of(each) == group]}

    def groups(self, call: Call) -> Document:
        """Name the groups that have a report."""
        del call
        return {"reportGroups": sorted({_of(each) for _, each in self._all()})}

    def test_cases(self, call: Call) -> Document:
        """Describe the test cases of a report."""
        wanted = call.parameters.get("filter", {}).get("status")
        cases = [
            case for case in self._kept(call, "cases") if not wanted or case["status"] == wanted
        ]
        return _page("testCases", "reportArn", cases, call)

    def code_coverages(self, call: Call) -> Document:
        """Describe what a report says of each source file."""
        files = [
            {**each, "id": str(number)} for number, each in enumerate(self._kept(call, "files"))
        ]
        return _page("codeCoverages", "reportARN", files, call)

    def _kept(self, call: Call, part: str) -> Sequence[Document]:
        arn = call.parameters["reportArn"]
        kept = self._documents.get(arn)
        if kept is None:
            raise ServiceError("ResourceNotFoundException", f"Report cannot be found: {arn}")
        if part not in kept:
            message = f"Report {arn} is of type {kept['report']['type']}"
            raise ServiceError("InvalidInputException", message)
        return list(kept[part])

    def _all(self) -> Sequence[tuple[str, Document]]:
        return list(self._documents.all().items())


def _of(kept: Document) -> Any:
    return kept["report"]["reportGroupArn"]


def _page(name: str, arn_name: str, items: Sequence[Document], call: Call) -> Document:
    arn = call.parameters["reportArn"]
    first = int(call.parameters.get("nextToken", 0))
    end = first + int(call.parameters.get("maxResults", PAGE))
    following = {"nextToken": str(end)} if end < len(items) else {}
    return {name: [{**each, arn_name: arn} for each in items[first:end]], **following}
