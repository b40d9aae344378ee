"""The execution of one build: its source, its phases in a process of their own, what it leaves."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.codebuild.build_environment import build_environment
from localcloud.codebuild.build_files import BuildFilesError, fetch_source, matching
from localcloud.codebuild.buildspec import (
    COBERTURA,
    Artefact,
    Buildspec,
    BuildspecError,
    parse,
)
from localcloud.codebuild.cobertura import coverages
from localcloud.codebuild.delivery import Delivery
from localcloud.codebuild.junit import test_cases
from localcloud.codebuild.phase_runner import EVENT
from localcloud.codebuild.report_files import ReportError
from localcloud.codebuild.reports import Reports
from localcloud.documents import Document, Documents
from localcloud.jobs import completions
from localcloud.jobs.host import Host, client
from localcloud.jobs.log_delivery import LogStream
from localcloud.jobs.process import JobProcess
from localcloud.jobs.runs import Run

LOG = logging.getLogger(__name__)
RUNNER = Path(__file__).with_name("phase_runner.py")
DEFAULT_SPECIFICATION = "buildspec.yml"
STATES = {"TIMED_OUT": "timed out", "STOPPED": "stopped"}


class Execution:
    """Calling it runs the build to its end."""

    def __init__(
        self,
        host: Host,
        documents: Documents,
        reports: Reports,
        run: Run,
        role: dict[str, str],
        build: Document,
    ) -> None:
        self._host = host
        self._documents = documents
        self._reports = reports
        self._run = run
        self._role = role
        self._build = build
        self._s3 = client("s3", role)

    def __call__(self) -> None:
        """Run; whatever happens, the build ends in a final state."""
        folder = self._host.folder("codebuild-work", self._build["id"].replace(":", "_"))
        logs = LogStream(client("logs", self._role), *self._build["logs"].values())
        try:
            status = self._execute(folder, logs)
        except Exception as error:
            LOG.exception("build %s", self._build["id"])
            logs.write(f"[Container] Internal service error: {error}")
            status = "FAULT"
        finally:
            logs.close()
            shutil.rmtree(folder, ignore_errors=True)
        self._end(status)
        completions.announce(self._build["arn"])

    def _execute(self, folder: Path, logs: LogStream) -> str:
        source = folder / "src"
        if not self._phase("DOWNLOAD_SOURCE", lambda: self._download(folder, source), logs):
            return "FAILED"
        specification = self._specified(source, logs)
        if specification is None:
            return "FAILED"
        delivery = Delivery(self._s3, self._host, self._build, folder)
        delivery.restore_cache(specification, source)
        succeeded = self._run_phases(specification, folder, source, logs)
        if self._run.cut_short:
            return "TIMED_OUT" if self._run.timed_out else "STOPPED"
        if not succeeded and not self._built():
            return "FAILED"
        delivered = self._phase(
            "UPLOAD_ARTIFACTS", lambda: self._deliver(delivery, specification, source), logs
        )
        return "SUCCEEDED" if succeeded and delivered else "FAILED"

    def _built(self) -> bool:
        """Tell whether the build phase was reached: a build that failed before leaves nothing."""
        build = self._documents.get(self._build["id"]) or self._build
        return any(phase["phaseType"] == "BUILD" for phase in build["phases"])

    def _download(self, folder: Path, source: Path) -> None:
        settings = self._build["settings"]
        fetch_source(self._s3, settings.get("source", {}), source)
        for extra in settings.get("secondarySources", []):
            fetch_source(self._s3, extra, folder / f"src-{extra['sourceIdentifier']}")

    def _specified(self, source: Path, logs: LogStream) -> Buildspec | None:
        given = self._build["settings"].get("source", {}).get("buildspec") or DEFAULT_SPECIFICATION
        found: list[Buildspec] = []

        def read() -> None:
            text = given if "\n" in given else (source / given).read_text("utf-8")
            found.append(parse(text))

        self._phase("QUEUED", read, logs)
        return found[0] if found else None

    def _run_phases(
        self, specification: Buildspec, folder: Path, source: Path, logs: LogStream
    ) -> bool:
        environment = build_environment(self._host, self._build, self._role, specification, folder)
        path = folder / "phases" / "specification.json"
        path.parent.mkdir()
        path.write_text(json.dumps(_runnable(specification)), encoding="utf-8")

        def read(line: str) -> None:
            if line.startswith(EVENT):
                self._take(json.loads(line.removeprefix(EVENT)))
            else:
                logs.write(line)

        def start() -> JobProcess:
            return JobProcess(
                [sys.executable, "-I", str(RUNNER), str(path)],
                folder=source,
                environment=environment,
                pids=self._host.pids,
                on_output=read,
            )

        limit = int(self._build["settings"]["timeoutInMinutes"]) * 60
        process = self._run.execute(start, limit)
        return process is not None and process.exit_code == 0

    def _take(self, event: dict[str, Any]) -> None:
        """Note what the runner says of a phase."""
        if event["event"] == "exported":
            variables = [{"name": n, "value": v} for n, v in event["variables"].items()]
            self._change(lambda b: b.update(exportedEnvironmentVariables=variables))
        elif event["event"] == "started":
            self._start(event["phase"].upper(), event["at"])
        else:
            self._finish(event["failure"], event["at"])

    def _phase(self, name: str, work: Callable[[], None], logs: LogStream) -> bool:
        """Carry out one of the phases that need no commands; tell whether it succeeded."""
        self._start(name, time.time())
        failure = ""
        try:
            work()
        except (BuildFilesError, BuildspecError, ReportError, OSError) as error:
            failure = str(error)
            logs.write(f"[Container] Phase complete: {name} State: FAILED {failure}")
        self._finish(failure, time.time())
        return not failure

    def _deliver(self, delivery: Delivery, specification: Buildspec, source: Path) -> None:
        """Keep the reports, whatever the tests said; then artefacts and cache."""
        arns = []
        for report in specification.reports:
            named = Artefact(report.files, (), report.base_directory, False, "")
            files = [path for path, _ in matching(source, named)]
            if report.format == COBERTURA:
                arn = self._reports.add_coverage(self._build, report.group, coverages(files))
            else:
                arn = self._reports.add_tests(self._build, report.group, test_cases(files))
            arns.append(arn)
        self._change(lambda build: build.update(reportArns=arns))
        delivery.deliver(specification, source)

    def _start(self, name: str, moment: float) -> None:
        def change(build: Document) -> None:
            build["currentPhase"] = name
            build["phases"].append({"phaseType": name, "startTime": moment})

        self._change(change)

    def _finish(self, failure: str, moment: float) -> None:
        def change(build: Document) -> None:
            phase = build["phases"][-1]
            context = {"statusCode": "COMMAND_EXECUTION_ERROR", "message": failure}
            phase.update(
                phaseStatus="FAILED" if failure else "SUCCEEDED",
                endTime=moment,
                durationInSeconds=int(moment - phase["startTime"]),
                contexts=[context] if failure else [],
            )

        self._change(change)

    def _end(self, status: str) -> None:
        moment = time.time()

        def change(build: Document) -> None:
            for phase in build["phases"]:
                phase.setdefault("phaseStatus", status)
                phase.setdefault("endTime", moment)
            build["phases"].append({"phaseType": "COMPLETED", "startTime": moment})
            build.update(
                buildStatus=status, currentPhase="COMPLETED", buildComplete=True, endTime=moment
            )

        self._change(change)

    def _change(self, change: Callable[[Document], None]) -> None:
        self._documents.change(self._build["id"], change)


def _runnable(specification: Buildspec) -> dict[str, Any]:
    """Put what the runner needs of a specification as JSON."""
    return {
        "shell": specification.shell.rpartition("/")[2],
        "exported": list(specification.exported),
        "phases": [
            {
                "name": phase.name,
                "commands": list(phase.commands),
                "finally_commands": list(phase.finally_commands),
                "on_failure": phase.on_failure,
            }
            for phase in specification.phases
        ],
    }
