"""The execution of one processing job: download, process, upload."""

from __future__ import annotations

from typing import Any

from localcloud.jobs.process import JobProcess
from localcloud.sagemaker.container_run import (
    DEFAULT_LIMIT_SECONDS,
    ContainerRun,
    algorithm_error,
    final_fields,
)
from localcloud.sagemaker.job_state import JobLog
from localcloud.sagemaker.layout import ContainerFolder, Network
from localcloud.sagemaker.scope import Document, now
from localcloud.sagemaker.transfer import download_prefix, upload_folder

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
EXIT_MESSAGE = "/opt/ml/output/message"


class ProcessingRun(ContainerRun):
    """Calling it runs the job to its end."""

    folder_name = "processing"

    def _carry_out(self, folder: ContainerFolder) -> None:
        self._state.set(ProcessingStartTime=now())  # as on AWS, it downloads from then on
        self._prepare(folder)
        self._process(folder)

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
        log = JobLog(self._role, LOG_GROUP, f"{self._state.name}/algo-1-{int(now())}")
        limit = self._request.get("StoppingCondition", {}).get(
            "MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS
        )
        try:
            process = self._run.execute(lambda: self._start(folder, log), limit)
        finally:
            log.close()
        message = _read(folder)
        if process is not None and process.exit_code != 0 and not self._run.cut_short:
            self._fail(algorithm_error(message or log.tail(), process), message)
            return
        self._upload(folder)
        self._end("Stopped" if self._run.cut_short else "Completed", ExitMessage=message)

    def _start(self, folder: ContainerFolder, log: JobLog) -> JobProcess:
        specification = self._request["AppSpecification"]
        return self._launch(
            specification["ImageUri"],
            specification,
            (),
            Network.of(self._request.get("NetworkConfig", {})),
            {
                "PROCESSING_JOB_NAME": self._state.name,
                "PROCESSING_JOB_ARN": self._state.arn,
            },
            folder=folder,
            log=log,
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
        self._state.end(ProcessingJobStatus=status, ProcessingEndTime=now(), **final_fields(fields))


def _read(folder: ContainerFolder) -> str:
    file = folder.at(EXIT_MESSAGE)
    return file.read_text("utf-8", "replace")[:1024] if file.is_file() else ""
