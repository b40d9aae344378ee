"""How batch transform cuts objects into requests, and puts the answers together again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
OUTPUT = "SageMakerOutput"
"""Where a joined JSON record holds its answer."""


class RecordError(Exception):
    """A record cannot be sent or joined; the message is the job's failure reason."""


@dataclass(frozen=True)
class Cut:
    """How one job cuts its input."""

    by_line: bool
    many: bool  #: as many records a request as fit
    payload_bytes: int  #: of a request at most; 0: without a limit


@dataclass(frozen=True)
class Batch:
    """One request: a body and the records that it is made of."""

    body: bytes
    records: tuple[bytes, ...]


def batches(content: bytes, cut: Cut, name: str) -> Iterator[Batch]:
    """Cut an object into requests; without SplitType it is one."""
    if not cut.by_line:
        _check(content, cut, name)
        yield Batch(content, (content,))
        return
    held: list[bytes] = []
    size = 0
    for line in content.splitlines():
        if not line:
            continue
        _check(line, cut, name)
        full = cut.payload_bytes and size + len(line) + 1 > cut.payload_bytes
        if held and (full or not cut.many):
            yield _joined(held)
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield _joined(held)


def _check(record: bytes, cut: Cut, name: str) -> None:
    if cut.payload_bytes and len(record) > cut.payload_bytes:
        raise RecordError(
            f"ClientError: {name}: a record of {len(record)} bytes is larger than MaxPayloadInMB "
            f"({cut.payload_bytes // MEGABYTE}). Split the input, or raise the limit."
        )


def _joined(lines: Sequence[bytes]) -> Batch:
    return Batch(b"\n".join(lines), tuple(lines))


def joined_with_input(batch: Batch, answer: bytes, content_type: str, name: str) -> bytes:
    """Put each answer to the record that it answers."""
    answers = [line for line in answer.splitlines() if line] or [answer]
    if len(answers) != len(batch.records):
        raise RecordError(
            f"ClientError: {name}: {len(batch.records)} records were sent and {len(answers)} "
            "answered; joining needs one answer a record."
        )
    join = _join_rows if content_type.startswith("text/csv") else _join_objects
    pairs = zip(batch.records, answers, strict=True)
    return b"\n".join(join(record, found, name) for record, found in pairs)


def _join_rows(record: bytes, answer: bytes, name: str) -> bytes:  # noqa: ARG001 - one signature
    return record.rstrip(b"\r\n") + b"," + answer


def _join_objects(record: bytes, answer: bytes, name: str) -> bytes:
    try:
        source, output = json.loads(record), json.loads(answer)
    except ValueError as error:
        raise RecordError(f"ClientError: {name}: a record is no JSON: {error}") from error
    held = source if isinstance(source, dict) else {"SageMakerInput": source}
    return json.dumps({**held, OUTPUT: output}).encode()


def assembled(parts: Sequence[bytes], *, by_line: bool) -> bytes:
    """Put the answers of an object together: one after the other, or a line each."""
    if not by_line:
        return b"".join(parts)
    return b"".join(part.rstrip(b"\n") + b"\n" for part in parts)
