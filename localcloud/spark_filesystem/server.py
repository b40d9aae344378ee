"""The WebHDFS server of one job run: loopback only, reachable with the run's token only."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.spark_filesystem.filesystem import RunFileSystem
from localcloud.spark_filesystem.operations import HOME, Request, UnsupportedOperationError, answer

PREFIX = "/webhdfs/v1/"
PIECE_BYTES = 1 << 20
TRANSFERS = ("GET OPEN", "PUT CREATE")
LOG = logging.getLogger(__name__)

# What went wrong -> HTTP status and the Java exception that the client throws.
REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (FileNotFoundError, 404, "java.io.FileNotFoundException"),
    (FileExistsError, 403, "org.apache.hadoop.fs.FileAlreadyExistsException"),
    (PermissionError, 403, "org.apache.hadoop.security.AccessControlException"),
    (UnsupportedOperationError, 400, "java.lang.UnsupportedOperationException"),
    (Exception, 500, "java.io.IOException"),
)


class WebHdfsServer(ThreadingHTTPServer):
    """Serves one file system under one token on a free loopback port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, files: RunFileSystem, token: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), WebHdfsHandler)
        self.files = files
        self.token = token

    def mount(self, bucket: str) -> str:
        """Tell the Hadoop address of a bucket."""
        return f"webhdfs://127.0.0.1:{self.server_address[1]}/{self.token}/{bucket}"


class WebHdfsHandler(BaseHTTPRequestHandler):
    """Translates HTTP to file system calls and errors to Hadoop's RemoteException."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: WebHdfsServer

    def do_GET(self) -> None:
        """Answer a read."""
        self._serve()

    def do_PUT(self) -> None:
        """Answer a write."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a deletion."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the access log out of the job's output."""
        LOG.debug(format, *args)

    def _serve(self) -> None:
        try:
            self._dispatch()
        except ConnectionError:
            self.close_connection = True  # the client has read what it wanted
        except (OSError, BotoCoreError, ClientError, UnsupportedOperationError, ValueError) as e:
            self._refuse(e)

    def _dispatch(self) -> None:
        request = self._request()
        if request.operation in TRANSFERS and "accepted" not in request.parameters:
            self._redirect()
        elif request.operation == "GET OPEN":
            self._open(request)
        elif request.operation == "PUT CREATE":
            self._create(request)
        else:
            self._document(200, answer(self.server.files, request))

    def _request(self) -> Request:
        url = urlsplit(self.path)
        token, _, path = unquote(url.path).removeprefix(PREFIX).partition("/")
        bucket, _, key = path.strip("/").partition("/")
        parameters = {name.lower(): value for name, value in parse_qsl(url.query)}
        request = Request(self.command, bucket, key.strip("/"), parameters)
        # Hadoop asks for the home directory of the server, above any mount: it tells nothing.
        if token != self.server.token and request.operation != HOME:
            raise PermissionError("unknown token")
        return request

    def _redirect(self) -> None:
        # The protocol asks for it: a name node answers first, a data node moves the bytes.
        self.send_response(307)
        self.send_header("Location", f"http://{self.headers['Host']}{self.path}&accepted=true")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _open(self, request: Request) -> None:
        offset = int(request.parameters.get("offset", 0))
        length = int(request.parameters.get("length", -1))
        size, pieces = self.server.files.read(request.bucket, request.key, offset, length)
        # Reading the first piece before the header lets a refusal still be one.
        first = next(pieces, b"")
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self._send_pieces(first, pieces)

    def _send_pieces(self, first: bytes, pieces: Iterator[bytes]) -> None:
        try:
            self.wfile.write(first)
            for piece in pieces:
                self.wfile.write(piece)
        except (OSError, BotoCoreError, ClientError) as error:
            # The header is out: a cut connection is the only way left to say that it failed.
            LOG.debug("read of %s ended early: %s", self.path, error)
            self.close_connection = True

    def _create(self, request: Request) -> None:
        files = self.server.files
        content = files.new_file()
        with content.open("wb") as target:
            self._receive(target)
        self._store(request, content)
        self._document(201, {})

    def _store(self, request: Request, content: Path) -> None:
        files = self.server.files
        if request.parameters.get("overwrite", "false") != "true":
            try:
                files.status(request.bucket, request.key)
            except FileNotFoundError:
                pass
            else:
                content.unlink()
                raise FileExistsError(f"s3://{request.bucket}/{request.key} already exists")
        files.write(request.bucket, request.key, content)

    def _receive(self, target: BinaryIO) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self._copy(size, target)
                self.rfile.readline()
            while self.rfile.readline().strip():
                continue
        else:
            self._copy(int(self.headers.get("Content-Length", 0)), target)

    def _copy(self, size: int, target: BinaryIO) -> None:
        while size:
            piece = self.rfile.read(min(size, PIECE_BYTES))
            if not piece:
                raise ConnectionAbortedError("the client left while it was writing")
            target.write(piece)
            size -= len(piece)

    def _refuse(self, error: Exception) -> None:
        status, java_class = next((s, j) for kind, s, j in REFUSALS if isinstance(error, kind))
        simple_name = java_class.rsplit(".", 1)[-1]
        remote = {"exception": simple_name, "javaClassName": java_class, "message": str(error)}
        self._document(status, {"RemoteException": remote})

    def _document(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
