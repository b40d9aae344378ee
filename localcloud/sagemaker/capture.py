"""Data capture: what an endpoint was asked and has answered, as files that its role writes."""

from __future__ import annotations

import base64
import json
import logging
import os
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.registry import ServiceError
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.transfer import TransferError, location

LOG = logging.getLogger(__name__)
GATHER_SECONDS = float(os.environ.get("LOCALCLOUD_CAPTURE_SECONDS", "2"))
"""How long records are gathered for a file; AWS does so for longer, and does not say how long."""
WHOLE = 100
BOTH = "InputAndOutput"
FAILURES = (BotoCoreError, ClientError, Boto3Error, ServiceError, TransferError, OSError)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as bytes with their types."""

    body: bytes
    content_type: str
    answer: bytes
    answer_type: str
    inference_id: str | None = None
    attributes: str | None = None


def check_capture(config: Document) -> None:
    """Refuse data capture where SageMaker has none."""
    variants = config["ProductionVariants"]
    if config.get("DataCaptureConfig") and any("ServerlessConfig" in each for each in variants):
        raise invalid("DataCaptureConfig cannot be used with ServerlessConfig.")


class Capture:
    """Gathers records and writes them; what cannot be written is lost, and no request fails."""

    def __init__(self, endpoint: str, config: Document, make_s3: Callable[[], Any]) -> None:
        self._endpoint = endpoint
        self._config = config
        self._modes = {each["CaptureMode"] for each in config["CaptureOptions"]}
        self._make_s3 = make_s3
        self._gathered: dict[str, list[Document]] = {}
        self._lock = threading.Lock()
        self._waiting = False
        # Sampling protects nothing.
        self._random = random.Random()  # noqa: S311

    def record(self, variant: str, exchange: Exchange, *, mirrored: bool) -> None:
        """Keep an exchange, if it is among those that the percentage chooses."""
        if self._random.random() * WHOLE >= self._config["InitialSamplingPercentage"]:
            return
        record = self._record(exchange, mirrored=mirrored)
        with self._lock:
            self._gathered.setdefault(variant, []).append(record)
            if self._waiting:
                return
            self._waiting = True
        timer = threading.Timer(GATHER_SECONDS, self.write)
        timer.daemon = True
        timer.start()

    def write(self) -> None:
        """Write what was gathered."""
        with self._lock:
            gathered, self._gathered, self._waiting = self._gathered, {}, False
        try:
            for variant, records in gathered.items():
                self._put(variant, records)
        except FAILURES as error:
            LOG.warning("data capture of endpoint %s: %s", self._endpoint, error)

    def _put(self, variant: str, records: list[Document]) -> None:
        bucket, prefix = location(self._config["DestinationS3Uri"])
        moment = datetime.now(UTC)
        folder = "/".join(filter(None, (prefix.rstrip("/"), self._endpoint, variant)))
        key = f"{folder}/{moment:%Y/%m/%d/%H/%M-%S}-{moment.microsecond // 1000:03}-{uuid.uuid4()}"
        kms = self._config.get("KmsKeyId")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms} if kms else {}
        lines = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in records)
        self._make_s3().put_object(
            Bucket=bucket, Key=f"{key}.jsonl", Body=lines.encode(), **encryption
        )

    def _record(self, exchange: Exchange, *, mirrored: bool) -> Document:
        data: Document = {}
        if {"Input", BOTH} & self._modes:
            data["endpointInput"] = self._side("INPUT", exchange.body, exchange.content_type)
        if {"Output", BOTH} & self._modes:
            data["endpointOutput"] = self._side("OUTPUT", exchange.answer, exchange.answer_type)
        metadata: Document = {"eventId": str(uuid.uuid4())}
        if exchange.attributes is not None:
            metadata["customAttributes"] = [exchange.attributes]
        if exchange.inference_id is not None:
            metadata["inferenceId"] = exchange.inference_id
        if mirrored:
            metadata["invocationSource"] = "ShadowExperiment"
        metadata["inferenceTime"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}

    def _side(self, mode: str, content: bytes, content_type: str) -> Mapping[str, str]:
        encoding = self._encoding(content_type)
        text = (
            base64.b64encode(content).decode()
            if encoding == "BASE64"
            else content.decode("utf-8", "replace")
        )
        return {
            "observedContentType": content_type,
            "mode": mode,
            "data": text,
            "encoding": encoding,
        }

    def _encoding(self, content_type: str) -> str:
        header = self._config.get("CaptureContentTypeHeader", {})
        for member, encoding in (("JsonContentTypes", "JSON"), ("CsvContentTypes", "CSV")):
            if content_type in header.get(member, []):
                return encoding
        return "BASE64"
