"""Delivers a job's output to CloudWatch Logs in batches, as the job's role."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LOG = logging.getLogger(__name__)
BATCH_SECONDS = 0.25
BATCH_EVENTS = 1000
BATCH_BYTES = 900_000
MAX_BYTES_PER_CHARACTER = 4
EVENT_OVERHEAD_BYTES = 26
CLOSE_SECONDS = 10.0

Event = dict[str, Any]


class LogStream:
    """One log stream, written in the background; a refusal stops the delivery, not the job."""

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self.group = group
        self.stream = stream
        self._client = client
        self._closed = False
        self._created = False
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue a line; CloudWatch Logs takes no empty events."""
        if line.strip():
            self._queue.put({"timestamp": int(time.time() * 1000), "message": line})

    def close(self) -> None:
        """Deliver what is queued and end."""
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _deliver(self) -> None:
        try:
            while batch := self._next_batch():
                self._put(batch)
        except (BotoCoreError, ClientError) as error:
            LOG.warning("log delivery to %s %s stopped: %s", self.group, self.stream, error)

    def _next_batch(self) -> list[Event]:
        """Collect lines for a moment; an empty batch means that the stream was closed."""
        batch: list[Event] = []
        size = 0
        deadline = None
        while not self._closed and len(batch) < BATCH_EVENTS and size < BATCH_BYTES:
            try:
                event = self._queue.get(timeout=deadline and max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if event is None:
                self._closed = True
                break
            deadline = deadline or time.monotonic() + BATCH_SECONDS
            batch.append(event)
            size += len(event["message"]) * MAX_BYTES_PER_CHARACTER + EVENT_OVERHEAD_BYTES
        return batch

    def _put(self, batch: list[Event]) -> None:
        target = {"logGroupName": self.group, "logStreamName": self.stream}
        if not self._created:
            self._create(target)
        self._client.put_log_events(**target, logEvents=batch)

    def _create(self, target: dict[str, str]) -> None:
        try:
            self._client.create_log_stream(**target)
        except self._client.exceptions.ResourceNotFoundException:
            self._create_group()
            self._client.create_log_stream(**target)
        except self._client.exceptions.ResourceAlreadyExistsException:
            LOG.debug("log stream %s exists", self.stream)
        self._created = True

    def _create_group(self) -> None:
        try:
            self._client.create_log_group(logGroupName=self.group)
        except self._client.exceptions.ResourceAlreadyExistsException:
            LOG.debug("log group %s exists", self.group)
