"""Reports of builds: groups, and what the tests of each build came to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from localcloud.codebuild.junit import summary
from localcloud.codebuild.presentation import presented
from localcloud.documents import Document, Documents
from localcloud.registry import Call, ServiceError

PAGE = 100


class Reports:
    """Keeps reports with their test cases."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, build: Document, group: str, cases: Sequence[Document]) -> str:
        """Keep the report of a build in a group named after its project; give its ARN."""
        prefix = build["arn"].partition(":build/")[0]
        group_arn = f"{prefix}:report-group/{build['projectName']}-{group}"
        arn = f"{prefix}:report/{group_arn.rpartition('/')[2]}:{uuid.uuid4()}"
        failed = any(case["status"] in ("FAILED", "ERROR") for case in cases)
        report = {
            "arn": arn,
            "type": "TEST",
            "name": group,
            "reportGroupArn": group_arn,
            "executionId": build["arn"],
            "status": "FAILED" if failed else "SUCCEEDED",
            "created": time.time(),
            "testSummary": summary(cases),
        }
        self._documents.put(arn, {"report": report, "cases": list(cases)})
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
        arn = call.parameters["reportArn"]
        kept = self._documents.get(arn)
        if kept is None:
            raise ServiceError("ResourceNotFoundException", f"Report cannot be found: {arn}")
        wanted = call.parameters.get("filter", {}).get("status")
        cases = [case for case in kept["cases"] if not wanted or case["status"] == wanted]
        first = int(call.parameters.get("nextToken", 0))
        end = first + int(call.parameters.get("maxResults", PAGE))
        following = {"nextToken": str(end)} if end < len(cases) else {}
        return {"testCases": [{**c, "reportArn": arn} for c in cases[first:end]], **following}

    def _all(self) -> Sequence[tuple[str, Document]]:
        return list(self._documents.all().items())


def _of(kept: Document) -> Any:
    return kept["report"]["reportGroupArn"]
