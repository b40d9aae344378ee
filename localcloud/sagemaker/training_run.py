"""The execution of one training job: download, train, upload; on spot capacity more than once."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

from localcloud.jobs.host import Host
from localcloud.jobs.process import JobProcess
from localcloud.sagemaker.container_run import (
    DEFAULT_LIMIT_SECONDS,
    ContainerRun,
    algorithm_error,
    final_fields,
)
from localcloud.sagemaker.job_state import JobLog, JobState
from localcloud.sagemaker.layout import ContainerFolder, Network
from localcloud.sagemaker.metrics import MetricScraper
from localcloud.sagemaker.scope import Document, now
from localcloud.sagemaker.spot import (
    NOTES,
    PRICE_SHARE,
    Checkpoints,
    InterruptibleRun,
    Interruptions,
)
from localcloud.sagemaker.transfer import download_prefix, pack, upload_file, upload_folder

HOST_NAME = "algo-1"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingRun(ContainerRun):
    """Calling it runs the job to its end."""

    folder_name = "training"

    def __init__(
        self,
        host: Host,
        state: JobState,
        run: InterruptibleRun,
        role: dict[str, str],
        request: Document,
    ) -> None:
        super().__init__(host, state, run, role, request)
        self._spot = run
        self._trained_seconds = 0.0
        self._begun = now()
        definitions = request["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._metrics = MetricScraper(definitions, state.watcher.on_metric)

    def _carry_out(self, folder: ContainerFolder) -> None:
        self._state.set(TrainingStartTime=now())  # as on AWS, it downloads from then on
        while True:
            self._prepare(folder)
            process, log = self._train(folder)
            if not self._spot.interrupted or self._run.stopped or self._limit() <= 0:
                break
            self._spot.interrupted = False
            self._state.enter("Interrupted", "Spot capacity was reclaimed; training is restarted")
            folder = ContainerFolder(folder.path)  # another machine, with nothing on it
        self._finish(process, folder, log)

    def _prepare(self, folder: ContainerFolder) -> None:
        folder.make("/opt/ml/input/config", "/opt/ml/input/data", "/opt/ml/model", "/opt/ml/code")
        folder.make("/opt/ml/output/data", CHECKPOINTS)
        channels = self._request.get("InputDataConfig", [])
        documents = {
            "hyperparameters": self._request.get("HyperParameters", {}),
            "inputdataconfig": {c["ChannelName"]: _channel(c) for c in channels},
            "resourceconfig": _resources(self._request["ResourceConfig"]),
            "checkpointconfig": self._checkpoint_config(folder),
        }
        for name, document in documents.items():
            folder.write_document(f"/opt/ml/input/config/{name}.json", document)
        self._state.enter("Downloading", "Downloading input data")
        for channel in channels:
            if not self._run.stopped:
                self._download(channel, folder)

    def _checkpoint_config(self, folder: ContainerFolder) -> Document:
        config = self._request.get("CheckpointConfig")
        if not config:
            return {}
        local = folder.at(config.get("LocalPath", CHECKPOINTS))
        return {"S3Uri": config["S3Uri"], "LocalPath": str(local)}

    def _download(self, channel: Document, folder: ContainerFolder) -> None:
        target = folder.at(f"/opt/ml/input/data/{channel['ChannelName']}")
        target.mkdir(parents=True)
        source = channel["DataSource"]["S3DataSource"]
        unzip = channel.get("CompressionType") == "Gzip"
        download_prefix(self._s3, source["S3Uri"], target, unzip=unzip)

    def _train(self, folder: ContainerFolder) -> tuple[JobProcess | None, JobLog]:
        log = JobLog(self._role, LOG_GROUP, f"{self._state.name}/{HOST_NAME}-{int(now())}")
        log.also(self._metrics.read)
        started = now()
        try:
            with self._kept(folder):
                message = "Training image download completed. Training in progress."
                self._state.enter("Training", message)
                process = self._run.execute(lambda: self._start(folder, log), self._limit())
        finally:
            log.close()
        self._trained_seconds += now() - started
        self._state.set(FinalMetricDataList=self._metrics.final())
        return process, log

    def _kept(self, folder: ContainerFolder) -> contextlib.ExitStack:
        """Keep checkpoints in step, and an eye on the machine, while the container runs."""
        stack = contextlib.ExitStack()
        config = self._checkpoint_config(folder)
        if config:
            checkpoints = Checkpoints(self._s3, config, Path(config["LocalPath"]))
            checkpoints.restore()
            stack.enter_context(checkpoints)
        if self._request.get("EnableManagedSpotTraining"):
            notes = self._host.folder(NOTES)
            stack.enter_context(Interruptions(notes, self._state.name, self._spot))
        return stack

    def _limit(self) -> float:
        """Return the seconds that the container may still run."""
        stopping = self._request["StoppingCondition"]
        runtime = stopping.get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS)
        wait = stopping.get("MaxWaitTimeInSeconds", math.inf)
        left = min(runtime - self._trained_seconds, wait - (now() - self._begun))
        return float(left)

    def _start(self, folder: ContainerFolder, log: JobLog) -> JobProcess:
        algorithm = self._request["AlgorithmSpecification"]
        return self._launch(
            algorithm["TrainingImage"],
            algorithm,
            ["train"],
            Network.of(self._request),
            {"TRAINING_JOB_NAME": self._state.name, "TRAINING_JOB_ARN": self._state.arn},
            folder=folder,
            log=log,
        )

    def _finish(self, process: JobProcess | None, folder: ContainerFolder, log: JobLog) -> None:
        failed = process is not None and process.exit_code != 0 and not self._run.cut_short
        self._state.enter("Uploading", "Uploading generated training model")
        artifacts = self._upload(folder, model=process is not None and not failed)
        if failed and process is not None:
            failure = folder.at("/opt/ml/output/failure")
            reason = failure.read_text("utf-8", "replace") if failure.is_file() else log.tail()
            self._fail(algorithm_error(reason, process))
        else:
            self._end(*self._outcome(), ModelArtifacts=artifacts)

    def _outcome(self) -> tuple[str, str, str]:
        if self._run.stopped:
            return "Stopped", "Stopped", "Training job stopped"
        if self._run.timed_out or self._spot.interrupted:
            stopping = self._request["StoppingCondition"]
            runtime = stopping.get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS)
            over = self._trained_seconds >= runtime
            secondary = "MaxRuntimeExceeded" if over else "MaxWaitTimeExceeded"
            return "Stopped", secondary, "Training job runtime exceeded its limit"
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
        self._state.enter(secondary, message)
        seconds = max(1, round(self._trained_seconds))
        share = PRICE_SHARE if self._request.get("EnableManagedSpotTraining") else 1.0
        self._state.end(
            TrainingJobStatus=status,
            TrainingEndTime=now(),
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=max(1, math.ceil(seconds * share)),
            **final_fields(fields),
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
