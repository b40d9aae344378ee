"""The execution of one batch transform job: start the model, send it the objects, store answers."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run
from localcloud.sagemaker.container_run import ContainerRun, final_fields
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.job_state import JobState
from localcloud.sagemaker.layout import ContainerFolder
from localcloud.sagemaker.scope import Document, now
from localcloud.sagemaker.serving import Deployment, NotHealthyError
from localcloud.sagemaker.transfer import TransferError, location
from localcloud.sagemaker.transform_records import (
    MEGABYTE,
    Batch,
    Cut,
    RecordError,
    assembled,
    batches,
    joined_with_input,
)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
DEFAULT_PAYLOAD = 6
DEFAULT_RETRIES = 3
DEFAULT_TIMEOUT_SECONDS = 600
HTTP_OK = 200
SERVER_ERROR = 500


class TransformRun(ContainerRun):
    """Calling it runs the job to its end."""

    folder_name = "transform"

    def __init__(
        self,
        host: Host,
        state: JobState,
        run: Run,
        role: dict[str, str],
        request: Document,
        model: Document,
    ) -> None:
        super().__init__(host, state, run, role, request)
        self._limits: Document = dict(request)
        self._instance = Instance(host, self._deployment(model))
        for container in self._instance.containers:
            container.log_group = LOG_GROUP
            container.log_stream = f"{state.name}/{container.instance}"

    def _carry_out(self, folder: ContainerFolder) -> None:  # noqa: ARG002 - the model has its own
        self._state.set(TransformStartTime=now())
        try:
            self._instance.start()
            self._limits = {**self._proposed(), **self._request}
            for key in self._keys():
                self._transform(key)
        except (NotHealthyError, RecordError) as error:
            self._fail(str(error))
            return
        finally:
            self._instance.stop()
        self._end("Stopped" if self._run.stopped else "Completed")

    def _deployment(self, model: Document) -> Deployment:
        """Describe the model with the job's environment added to that of its containers."""
        added = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(
                self._request.get("MaxPayloadInMB", DEFAULT_PAYLOAD)
            ),
            "SAGEMAKER_BATCH_STRATEGY": str(self._request.get("BatchStrategy", "MultiRecord")),
            **self._request.get("Environment", {}),
        }
        containers = model.get("Containers") or [model["PrimaryContainer"]]
        changed = [
            {**each, "Environment": {**each.get("Environment", {}), **added}} for each in containers
        ]
        whole = {**model, "Containers": changed, "PrimaryContainer": None}
        return Deployment(self._state.name, {"VariantName": "transform"}, whole)

    def _proposed(self) -> Document:
        """Ask the model for the limits that it would like; it may have no opinion."""
        answer = self._instance.containers[0].connections.request(
            "GET", "/execution-parameters", timeout=10, retries=False
        )
        try:
            found = json.loads(answer.data) if answer.status == HTTP_OK else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _keys(self) -> Iterator[str]:
        bucket, prefix = self._source()
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except (BotoCoreError, ClientError) as error:
            raise TransferError(
                f"ClientError: Failed to list s3://{bucket}/{prefix}: {error}"
            ) from error
        found = [key for key in keys if not key.endswith("/")]
        if not found:
            raise TransferError(f"ClientError: no S3 objects found under s3://{bucket}/{prefix}.")
        for key in found:
            if self._run.stopped:
                return
            yield key

    def _source(self) -> tuple[str, str]:
        return location(self._request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])

    def _transform(self, key: str) -> None:
        """Send one object, in as many requests as it takes, some of them at once."""
        name = key.rpartition("/")[2]
        wanted = self._request["TransformOutput"]
        at_once = max(1, int(self._limits.get("MaxConcurrentTransforms", 1)))
        with ThreadPoolExecutor(at_once) as pool:
            cut = batches(self._content(key), self._cut(), name)
            parts = list(pool.map(lambda batch: self._answer(batch, name), cut))
        body = assembled(parts, by_line=wanted.get("AssembleWith") == "Line")
        self._store(key, body, wanted)

    def _content(self, key: str) -> bytes:
        bucket, _ = self._source()
        try:
            body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise TransferError(
                f"ClientError: Failed to read s3://{bucket}/{key}: {error}"
            ) from error
        gzipped = self._request["TransformInput"].get("CompressionType") == "Gzip"
        return gzip.decompress(body) if gzipped else body

    def _store(self, key: str, body: bytes, wanted: Document) -> None:
        """Write an object's answers below the output path, as the input lies below its prefix."""
        _, prefix = self._source()
        below = key[len(prefix) :].lstrip("/") or key.rpartition("/")[2]
        bucket, folder = location(wanted["S3OutputPath"])
        target = "/".join(part for part in (folder.rstrip("/"), f"{below}.out") if part)
        key_id = wanted.get("KmsKeyId")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
        try:
            self._s3.put_object(Bucket=bucket, Key=target, Body=body, **encryption)
        except (BotoCoreError, ClientError) as error:
            raise TransferError(
                f"ClientError: Failed to write s3://{bucket}/{target}: {error}"
            ) from error

    def _cut(self) -> Cut:
        return Cut(
            by_line=self._request["TransformInput"].get("SplitType") == "Line",
            many=self._limits.get("BatchStrategy", "MultiRecord") == "MultiRecord",
            payload_bytes=int(self._limits.get("MaxPayloadInMB", DEFAULT_PAYLOAD)) * MEGABYTE,
        )

    def _answer(self, batch: Batch, name: str) -> bytes:
        """Ask the model about one batch; failures of the model itself are tried again."""
        if self._run.stopped:
            return b""
        client = self._request.get("ModelClientConfig", {})
        for attempt in range(client.get("InvocationsMaxRetries", DEFAULT_RETRIES) + 1):
            status, body = self._ask(
                batch.body, client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS)
            )
            if status == HTTP_OK:
                return self._joined(batch, body, name)
            if status < SERVER_ERROR:
                break
            time.sleep(min(0.1 * 2**attempt, 2.0))
        said = body[:200].decode("utf-8", "replace")
        raise RecordError(f"AlgorithmError: {name}: the model answered {status}: {said}")

    def _ask(self, body: bytes, timeout: float) -> tuple[int, bytes]:
        """Pass a body through the model's containers, each answer to the next."""
        content_type = self._request["TransformInput"].get("ContentType", "")
        accept = self._request["TransformOutput"].get("Accept", "")
        for container in self._instance.containers:
            headers = {"Content-Type": content_type, "Accept": accept}
            try:
                answer = container.connections.request(
                    "POST",
                    "/invocations",
                    body=body,
                    headers={name: value for name, value in headers.items() if value},
                    timeout=timeout,
                    retries=False,
                )
            except HTTPError as error:
                return SERVER_ERROR, str(error).encode()
            body, content_type = answer.data, answer.headers.get("Content-Type", "")
            if answer.status != HTTP_OK:
                return answer.status, body
        return HTTP_OK, body

    def _joined(self, batch: Batch, answer: bytes, name: str) -> bytes:
        if self._request.get("DataProcessing", {}).get("JoinSource") != "Input":
            return answer
        content_type = self._request["TransformInput"].get("ContentType", "")
        return joined_with_input(batch, answer, content_type, name)

    def _fail(self, reason: str) -> None:
        if self._run.stopped:
            self._end("Stopped")
        else:
            self._end("Failed", FailureReason=reason)

    def _end(self, status: str, **fields: Any) -> None:
        self._state.end(TransformJobStatus=status, TransformEndTime=now(), **final_fields(fields))
