"""The server of the built-in containers: `/ping`, `/execution-parameters` and `/invocations`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcloud.sagemaker.algorithms.container import Container, UserError, say

OK, BAD_REQUEST, NOT_FOUND, BROKEN = 200, 400, 404, 500
PARAMETERS = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    body: bytes
    content_type: str
    accept: str


@dataclass(frozen=True)
class Answer:
    """What a model says."""

    body: bytes
    content_type: str


Predict = Callable[[Request], Answer]


def serve(container: Container, predict: Predict) -> None:
    """Serve for ever on the container's port."""
    handler = type("Handler", (_Handler,), {"predict": staticmethod(predict)})
    server = ThreadingHTTPServer(("127.0.0.1", container.port), handler)
    server.daemon_threads = True
    say(f"serving on port {container.port}")
    server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet an answer: header and body apart cost 40 ms on loopback
    predict: Predict

    def do_GET(self) -> None:
        """Say that the model answers, or how a batch is best sent."""
        if self.path == "/ping":
            self._answer(OK, Answer(b"", "text/plain"))
        elif self.path == "/execution-parameters":
            self._answer(OK, Answer(json.dumps(PARAMETERS).encode(), "application/json"))
        else:
            self._answer(NOT_FOUND, Answer(b"", "text/plain"))

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/invocations":
            self._answer(NOT_FOUND, Answer(b"", "text/plain"))
            return
        request = Request(
            body, self.headers.get("Content-Type", ""), self.headers.get("Accept", "")
        )
        try:
            self._answer(OK, self.predict(request))
        except UserError as error:
            self._answer(BAD_REQUEST, Answer(str(error).encode(), "text/plain"))
        except Exception:  # noqa: BLE001 - one request must not end the server
            traceback.print_exc()
            text = traceback.format_exc(limit=-1)
            self._answer(BROKEN, Answer(text.encode(), "text/plain"))

    def _answer(self, status: int, answer: Answer) -> None:
        self.send_response(status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing of each request; the platform measures them."""


def accepted(text: str, default: str, allowed: tuple[str, ...]) -> str:
    """Choose the media type of an answer."""
    for each in text.split(","):
        name = each.partition(";")[0].strip().lower()
        if name in allowed:
            return name
        if name in ("", "*/*"):
            return default
    raise UserError(f"Accept {text!r} is not supported; the model answers {', '.join(allowed)}")
