"""The execution of one training job: download, train, upload."""

from __future__ import annotations

import logging
from pathlib import Path
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
from localcloud.sagemaker.metrics import MetricScraper
from localcloud.sagemaker.scope import Document, now
from localcloud.sagemaker.transfer import (
    TransferError,
    download_prefix,
    pack,
    upload_file,
    upload_folder,
)

LOG = logging.getLogger(__name__)
STOP_GRACE_SECONDS = 120.0
DEFAULT_LIMIT_SECONDS = 86400
HOST_NAME = "algo-1"
CHECKPOINTS = "/opt/ml/checkpoints"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingRun:
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
        self._metrics = MetricScraper(
            request["AlgorithmSpecification"].get("MetricDefinitions", [])
        )

    def __call__(self) -> None:
        """Run the job; whatever happens, it ends in a final state."""
        folder = ContainerFolder(self._host.folder("training") / self._state.arn.split(":", 5)[5])
        try:
            self._prepare(folder)
            self._train(folder)
        except (TransferError, ServiceError) as error:
            self._fail(str(error))
        except Exception as error:
            LOG.exception("training job %s", self._state.name)
            self._fail(f"InternalServerError: {error}")
        finally:
            folder.remove()

    def _prepare(self, folder: ContainerFolder) -> None:
        folder.make("/opt/ml/input/config", "/opt/ml/input/data", "/opt/ml/model", "/opt/ml/code")
        folder.make("/opt/ml/output/data", "/opt/ml/checkpoints")
        channels = self._request.get("InputDataConfig", [])
        config = "/opt/ml/input/config"
        folder.write_document(
            f"{config}/hyperparameters.json", self._request.get("HyperParameters", {})
        )
        folder.write_document(
            f"{config}/inputdataconfig.json", {c["ChannelName"]: _channel(c) for c in channels}
        )
        folder.write_document(
            f"{config}/resourceconfig.json", _resources(self._request["ResourceConfig"])
        )
        checkpoints = self._request.get("CheckpointConfig")
        if checkpoints:
            local = folder.at(checkpoints.get("LocalPath", CHECKPOINTS))
            given = {"S3Uri": checkpoints["S3Uri"], "LocalPath": str(local)}
            folder.write_document(f"{config}/checkpointconfig.json", given)
        self._state.enter("Downloading", "Downloading input data")
        for channel in channels:
            if not self._run.stopped:
                self._download(channel, folder)

    def _download(self, channel: Document, folder: ContainerFolder) -> None:
        target = folder.at(f"/opt/ml/input/data/{channel['ChannelName']}")
        target.mkdir(parents=True)
        source = channel["DataSource"]["S3DataSource"]
        unzip = channel.get("CompressionType") == "Gzip"
        download_prefix(self._s3, source["S3Uri"], target, unzip=unzip)

    def _train(self, folder: ContainerFolder) -> None:
        image = self._host.resolve_image(self._request["AlgorithmSpecification"]["TrainingImage"])
        stream = f"{self._state.name}/{HOST_NAME}-{int(now())}"
        log = JobLog(self._role, LOG_GROUP, stream)
        log.also(self._metrics.read)
        self._state.set(TrainingStartTime=now())
        self._state.enter("Training", "Training image download completed. Training in progress.")
        limit = self._request["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS)
        try:
            process = self._run.execute(lambda: self._start(image, folder, log), limit)
        finally:
            log.close()
        self._state.set(FinalMetricDataList=self._metrics.final())
        self._finish(process, folder, log)

    def _start(self, image: Image, folder: ContainerFolder, log: JobLog) -> JobProcess:
        command = command_line(image, self._request["AlgorithmSpecification"], ["train"])
        own = {
            "TRAINING_JOB_NAME": self._state.name,
            "TRAINING_JOB_ARN": self._state.arn,
            **self._request.get("Environment", {}),
        }
        network = Network.of(self._request)
        return JobProcess(
            network.command(located(command, image, folder)),
            folder=image.workdir,
            environment=container_environment(image, network.credentials(self._role), folder, own),
            pids=self._host.pids,
            on_output=log.write,
        )

    def _finish(self, process: JobProcess | None, folder: ContainerFolder, log: JobLog) -> None:
        failed = process is not None and process.exit_code != 0 and not self._run.cut_short
        self._state.enter("Uploading", "Uploading generated training model")
        artifacts = self._upload(folder, model=process is not None and not failed)
        if failed and process is not None:
            failure = folder.at("/opt/ml/output/failure")
            reason = failure.read_text("utf-8", "replace") if failure.is_file() else log.tail()
            self._fail(f"AlgorithmError: {reason[:900]}, exit code: {process.exit_code}")
        else:
            self._end(*self._outcome(), ModelArtifacts=artifacts)

    def _outcome(self) -> tuple[str, str, str]:
        if self._run.timed_out:
            return "Stopped", "MaxRuntimeExceeded", "Training job runtime exceeded its limit"
        if self._run.stopped:
            return "Stopped", "Stopped", "Training job stopped"
        return "Completed", "Completed", "Training job completed"

    def _upload(self, folder: ContainerFolder, *, model: bool) -> Document:
        output = self._request["OutputDataConfig"]
        target = f"{output['S3OutputPath'].rstrip('/')}/{self._state.name}/output"
        key = output.get("KmsKeyId")
        self._archive(folder.at("/opt/ml/output/data"), f"{target}/output.tar.gz", key)
        if not model:
            return {}
        content = folder.at("/opt/ml/model")
        if output.get("CompressionType") == "NONE":
            upload_folder(self._s3, content, f"{target}/model", key)
            return {"S3ModelArtifacts": f"{target}/model/"}
        self._archive(content, f"{target}/model.tar.gz", key, even_empty=True)
        return {"S3ModelArtifacts": f"{target}/model.tar.gz"}

    def _archive(
        self, content: Path, uri: str, kms_key: str | None, *, even_empty: bool = False
    ) -> None:
        if not even_empty and not any(content.iterdir()):
            return
        archive = content.parent / uri.rsplit("/", 1)[-1]
        pack(content, archive)
        upload_file(self._s3, archive, uri, kms_key)

    def _fail(self, reason: str) -> None:
        if self._run.stopped:
            self._end("Stopped", "Stopped", "Training job stopped")
        else:
            self._end("Failed", "Failed", "Training job failed", FailureReason=reason)

    def _end(self, status: str, secondary: str, message: str, **fields: Any) -> None:
        moment = now()
        self._state.enter(secondary, message)
        started = self._state.document().get("TrainingStartTime", moment)
        seconds = max(1, round(moment - started))
        self._state.end(
            TrainingJobStatus=status,
            TrainingEndTime=moment,
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            **{name: value for name, value in fields.items() if value},
        )


def _channel(channel: Document) -> Document:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "ContentType": channel.get("ContentType", ""),
        "TrainingInputMode": "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def _resources(config: Document) -> Document:
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": config.get("InstanceType", ""),
        "hosts": [HOST_NAME],
    }
    return {
        "current_host": HOST_NAME,
        "current_instance_type": config.get("InstanceType", ""),
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST_NAME],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
