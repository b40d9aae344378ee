"""The API is called with a signature, and its problems read as words."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from cli.api import Answer, api_url, call, curl_example, problem_text
from cli.errors import CredentialsError, RefusedError
from cli.prediction import Question, ask


@pytest.fixture
def inference(target):
    target.deployed["Inference"] = {
        "ApiUrl": "https://api.example.org/live/",
        "ApiId": "abc123",
        "ApiStage": "live",
    }
    return target


class Anonymous(boto3.Session):
    """A session that found no credentials anywhere."""

    def get_credentials(self):
        return None


class Gateway(ThreadingHTTPServer):
    """A server that keeps what it was asked and answers with what the test gave it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []
        self.answer = (200, {})


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Authorization"], json.loads(body)))
        status, document = self.server.answer
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments):
        """Keep the test's output to the test."""


@pytest.fixture
def gateway(inference, monkeypatch):
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_on_aws_the_api_has_its_own_address(inference):
    assert api_url(inference) == "https://api.example.org/live"


def test_an_aws_at_another_address_has_its_apis_under_that_address(gateway, inference):
    assert api_url(inference).endswith("/restapis/abc123/live/_user_request_")


def test_a_request_is_signed_for_the_api(gateway, inference):
    gateway.answer = (200, {"predictions": []})

    answer = call(inference, "POST", "/predictions", {"instances": []})

    (path, authorization, body) = gateway.asked[0]
    assert answer == Answer(200, {"predictions": []})
    assert path == "/restapis/abc123/live/_user_request_/predictions"
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=")
    assert "/us-east-1/execute-api/" in authorization
    assert body == {"instances": []}


def test_a_problem_is_told_with_its_fields(gateway, inference):
    error = {"pointer": "/instances/0/a/b", "value": "XXX", "allowed": "EWR, JFK"}
    gateway.answer = (400, {"title": "Bad request", "detail": "1 field", "errors": [error]})

    with pytest.raises(RefusedError, match=r"HTTP 400 Bad request(.|\n)*/instances/0/a/b: 'XXX'"):
        ask(inference, [Question("#1", {}, None)])


def test_nothing_at_the_address_is_told_with_the_address(inference, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(RefusedError, match=r"Nothing answers at http://127\.0\.0\.1:9/restapis"):
        call(inference, "POST", "/predictions", {})


def test_an_answer_that_is_no_problem_document_is_shown_as_it_is():
    assert problem_text(Answer(502, "bad gateway")) == "HTTP 502: bad gateway"


def test_the_curl_example_signs_for_the_region_of_the_session(inference):
    example = curl_example(inference, "request.json")

    assert "--aws-sigv4 'aws:amz:us-east-1:execute-api'" in example
    assert "--data @request.json" in example


def test_a_session_without_credentials_is_told_to_choose_a_profile(inference):
    inference.session = Anonymous(region_name="us-east-1")

    with pytest.raises(CredentialsError, match="--profile"):
        call(inference, "POST", "/predictions", {})
