"""The execution of one processing job: download, process, upload."""

from __future__ import annotations

import logging
from typing import Any

from localcloud.images import Image
from localcloud.jobs.host import Host, client
from localcloud.jobs.process import JobProcess
from localcloud.jobs.runs import Run
from localcloud.registry import ServiceError
from localcloud.sagemaker.job_state import JobLog, JobState
from localcloud.sagemaker.layout import (
    ContainerFolder,
    Network,
    command_line,
    container_environment,
    located,
)
from localcloud.sagemaker.scope import Document, now
from localcloud.sagemaker.transfer import TransferError, download_prefix, upload_folder

LOG = logging.getLogger(__name__)
STOP_GRACE_SECONDS = 120.0
DEFAULT_LIMIT_SECONDS = 86400
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
EXIT_MESSAGE = "/opt/ml/output/message"


class ProcessingRun:
    """Calling it runs the job to its end."""

    def __init__(
        self, host: Host, state: JobState, run: Run, role: dict[str, str], request: Document
    ) -> None:
        self._host = host
        self._state = state
        self._run = run
        self._role = role
        self._request = request
        self._s3 = client("s3", role)

    def __call__(self) -> None:
        """Run the job; whatever happens, it ends in a final state."""
        folder = ContainerFolder(self._host.folder("processing") / self._state.arn.split(":", 5)[5])
        try:
            self._prepare(folder)
            self._process(folder)
        except (TransferError, ServiceError) as error:
            self._fail(str(error))
        except Exception as error:
            LOG.exception("processing job %s", self._state.name)
            self._fail(f"InternalServerError: {error}")
        finally:
            folder.remove()

    def _prepare(self, folder: ContainerFolder) -> None:
        folder.make("/opt/ml/processing", "/opt/ml/output", "/opt/ml/input")
        cluster = self._request["ProcessingResources"]["ClusterConfig"]
        folder.write_document("/opt/ml/config/processingjobconfig.json", self._state.document())
        folder.write_document(
            "/opt/ml/config/resourceconfig.json",
            {
                "current_host": "algo-1",
                "hosts": ["algo-1"],
                "current_instance_type": cluster["InstanceType"],
            },
        )
        for wanted in self._outputs():
            folder.make(wanted["LocalPath"])
        for given in self._request.get("ProcessingInputs", []):
            if not self._run.stopped:
                source = given["S3Input"]
                target = folder.at(source["LocalPath"])
                target.mkdir(parents=True, exist_ok=True)
                gzipped = source.get("S3CompressionType") == "Gzip"
                download_prefix(self._s3, source["S3Uri"], target, unzip=gzipped)

    def _process(self, folder: ContainerFolder) -> None:
        image = self._host.resolve_image(self._request["AppSpecification"]["ImageUri"])
        log = JobLog(self._role, LOG_GROUP, f"{self._state.name}/algo-1-{int(now())}")
        self._state.set(ProcessingStartTime=now())
        limit = self._request.get("StoppingCondition", {}).get(
            "MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS
        )
        try:
            process = self._run.execute(lambda: self._start(image, folder, log), limit)
        finally:
            log.close()
        message = _read(folder)
        failed = process is not None and process.exit_code != 0
        if failed and process is not None and not self._run.cut_short:
            reason = message or log.tail()
            self._fail(f"AlgorithmError: {reason[:900]}, exit code: {process.exit_code}", message)
            return
        self._upload(folder)
        self._end("Stopped" if self._run.cut_short else "Completed", ExitMessage=message)

    def _start(self, image: Image, folder: ContainerFolder, log: JobLog) -> JobProcess:
        command = command_line(image, self._request["AppSpecification"], image.cmd)
        own = {
            "PROCESSING_JOB_NAME": self._state.name,
            "PROCESSING_JOB_ARN": self._state.arn,
            **self._request.get("Environment", {}),
        }
        network = Network.of(self._request.get("NetworkConfig", {}))
        return JobProcess(
            network.command(located(command, image, folder)),
            folder=image.workdir,
            environment=container_environment(image, network.credentials(self._role), folder, own),
            pids=self._host.pids,
            on_output=log.write,
        )

    def _upload(self, folder: ContainerFolder) -> None:
        key = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        for wanted in self._outputs():
            upload_folder(self._s3, folder.at(wanted["LocalPath"]), wanted["S3Uri"], key)

    def _outputs(self) -> list[Document]:
        outputs = self._request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [wanted["S3Output"] for wanted in outputs]

    def _fail(self, reason: str, message: str = "") -> None:
        if self._run.stopped:
            self._end("Stopped")
        else:
            self._end("Failed", FailureReason=reason, ExitMessage=message)

    def _end(self, status: str, **fields: Any) -> None:
        kept = {name: value for name, value in fields.items() if value}
        self._state.end(ProcessingJobStatus=status, ProcessingEndTime=now(), **kept)


def _read(folder: ContainerFolder) -> str:
    file = folder.at(EXIT_MESSAGE)
    return file.read_text("utf-8", "replace")[:1024] if file.is_file() else ""
