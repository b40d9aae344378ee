"""Decides what of a pulled place is new, and lands that alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.uris import SCHEME
from lambdas.data_pipeline.contract import PullSourceRequest, PullSourceResponse
from pipeline_code.data_pipeline.contract import LANDING_PREFIX


class PullFailedError(DocumentedError):
    """{uri} cannot be pulled for the source {source}: {reason}."""


@dataclass(frozen=True)
class PullState:
    """What was seen of one remote file the last time: empty texts before the first."""

    etag: str = ""
    sha256: str = ""
    landed_key: str = ""
    pulled_at: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Download:
    """A file that was fetched to the end; its name is what it lands under."""

    path: Path
    name: str
    etag: str
    sha256: str


class Remote(Protocol):
    """Where files are pulled from."""

    def files(self, uri: str) -> Iterable[str]:
        """List the addresses of the files that an address stands for."""

    def download(self, uri: str, known_etag: str) -> AbstractContextManager[Download | None]:
        """Fetch a file, for as long as the context lasts; none if its ETag is the known one."""


class LandingZone(Protocol):
    """Where source files land."""

    def land(self, key: str, download: Download) -> None:
        """Upload a file."""


class PullStates(Protocol):
    """What is remembered of each remote file."""

    def get(self, source: str, uri: str) -> PullState:
        """Read what was seen of a file the last time."""

    def put(self, source: str, uri: str, state: PullState) -> None:
        """Remember what was seen of a file."""


def pull_source(
    request: PullSourceRequest,
    web: Remote,
    buckets: Remote,
    zone: LandingZone,
    states: PullStates,
    clock: Clock,
) -> PullSourceResponse:
    """Land each file that is new or has changed; one that fails is remembered, and raised."""
    source, uri = request["source"], request["uri"]
    remote = buckets if uri.startswith(SCHEME) else web
    landed: list[str] = []
    unchanged = 0
    try:
        for file in remote.files(uri):
            key = _pull(source, file, remote, zone, states, clock)
            landed += [key] if key else []
            unchanged += not key
    except PullFailedError as error:
        known = states.get(source, uri)
        states.put(source, uri, replace(known, failure=f"{clock()} {error}"))
        raise
    known = states.get(source, uri)
    if known.failure:
        states.put(source, uri, replace(known, failure=""))
    return {"source": source, "landed": landed, "unchanged": unchanged}


def _pull(
    source: str, uri: str, remote: Remote, zone: LandingZone, states: PullStates, clock: Clock
) -> str:
    """Land one file if it is new; give its key, or nothing."""
    known = states.get(source, uri)
    with remote.download(uri, known.etag) as download:
        if download is None or download.sha256 == known.sha256:
            etag = download.etag if download else known.etag
            states.put(source, uri, replace(known, etag=etag, pulled_at=clock(), failure=""))
            return ""
        key = f"{LANDING_PREFIX}{source}/{download.name}"
        zone.land(key, download)
        # Only now: a pull that dies before this lands the same file again, which is harmless.
        states.put(source, uri, PullState(download.etag, download.sha256, key, clock()))
        return key
