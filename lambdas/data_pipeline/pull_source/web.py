"""Files on the web: fetched with the standard library, within limits of time and size."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lambdas.data_pipeline.pull_source.logic import Download, PullFailedError

CHUNK_BYTES = 1024 * 1024
NOT_MODIFIED = 304
THIS_MACHINE = ("127.0.0.1", "localhost")


class WebFiles:
    """Files at addresses ``https://…`` (``http://`` on this machine alone)."""

    def __init__(self, source: str, limit_bytes: int, timeout_seconds: int) -> None:
        self._source = source
        self._limit_bytes = limit_bytes
        self._timeout_seconds = timeout_seconds

    def files(self, uri: str) -> Iterator[str]:
        """Give the address itself: it stands for one file."""
        yield uri

    @contextmanager
    def download(self, uri: str, known_etag: str) -> Iterator[Download | None]:
        """Fetch a file, for as long as the context lasts; none if its ETag is the known one."""
        name = urllib.parse.unquote(urllib.parse.urlsplit(uri).path).rsplit("/", 1)[-1]
        if not name:
            raise self._failed(uri, "its path ends in no file name")
        with tempfile.TemporaryDirectory() as folder:
            try:
                fetched = self._fetch(uri, known_etag, Path(folder) / "download")
            except (OSError, http.client.HTTPException) as error:
                raise self._failed(uri, _told(error)) from error
            yield fetched and Download(
                path=Path(folder) / "download", name=name, etag=fetched[0], sha256=fetched[1]
            )

    def _fetch(self, uri: str, known_etag: str, target: Path) -> tuple[str, str] | None:
        request = urllib.request.Request(uri, headers={"User-Agent": "fourblocks"})  # noqa: S310
        if known_etag:
            request.add_header("If-None-Match", known_etag)
        opener = urllib.request.build_opener(_SafeRedirects())
        try:
            with opener.open(request, timeout=self._timeout_seconds) as answer:
                return answer.headers.get("ETag", ""), self._save(uri, answer, target)
        except urllib.error.HTTPError as error:
            if error.code != NOT_MODIFIED:
                raise
            return None

    def _save(self, uri: str, answer: Any, target: Path) -> str:
        """Write the body to a file; give its digest. What is cut short or too long is refused."""
        announced = answer.headers.get("Content-Length")
        digest, size = hashlib.sha256(), 0
        with target.open("wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                size += len(chunk)
                if size > self._limit_bytes:
                    raise self._failed(uri, f"it is larger than {self._limit_bytes} bytes")
                digest.update(chunk)
                file.write(chunk)
        if announced is not None and size != int(announced):
            raise self._failed(uri, f"{size} of {announced} bytes came")
        return digest.hexdigest()

    def _failed(self, uri: str, reason: str) -> PullFailedError:
        return PullFailedError(uri=uri, source=self._source, reason=reason)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to addresses that a contract might name itself, and to no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse the way to an address without TLS."""
        parts = urllib.parse.urlsplit(newurl)
        if parts.scheme != "https" and parts.hostname not in THIS_MACHINE:
            raise urllib.error.URLError(f"it redirects to {newurl}, which has no TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _told(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    reason = getattr(error, "reason", None) or error
    return f"{type(reason).__name__}: {reason}" if not isinstance(reason, str) else reason
