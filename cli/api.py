"""The platform's HTTP API: where it is, and requests signed as the operator (SigV4)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session

from cli.errors import CredentialsError, RefusedError

if TYPE_CHECKING:
    from cli.target import Target

SERVICE = "execute-api"
JSON = "application/json"
TIMEOUT_SECONDS = 35
"""A little longer than API Gateway waits for its integration."""


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: Any


def api_url(target: Target, block: str = "Inference") -> str:
    """Return an API's base URL; an AWS at another address has its APIs under that address."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        return target.output(block, "ApiUrl").rstrip("/")
    api_id = target.output(block, "ApiId")
    stage = target.output(block, "ApiStage")
    return f"{endpoint.rstrip('/')}/restapis/{api_id}/{stage}/_user_request_"


def call(
    target: Target, method: str, path: str, document: Any = None, *, block: str = "Inference"
) -> Answer:
    """Send one signed request and read its JSON answer.

    Raises:
        CredentialsError: the session has no credentials.
        RefusedError: nothing answers at the API's address.

    """
    credentials = target.session.get_credentials()
    if credentials is None:
        message = "No AWS credentials found. Choose a profile with --profile."
        raise CredentialsError(message)
    url = f"{api_url(target, block)}{path}"
    body = None if document is None else json.dumps(document)
    request = AWSRequest(method=method, url=url, data=body, headers={"Content-Type": JSON})
    SigV4Auth(credentials.get_frozen_credentials(), SERVICE, target.region).add_auth(request)
    verify = os.environ.get("AWS_CA_BUNDLE") or True
    try:
        answer = URLLib3Session(verify=verify, timeout=TIMEOUT_SECONDS).send(request.prepare())
    except EndpointConnectionError as error:
        message = f"Nothing answers at {url}: {error}. Run: {target.command('status')}"
        raise RefusedError(message) from error
    return Answer(answer.status_code, json_or_text(answer.text))


def json_or_text(text: str) -> Any:
    """Parse a body, or keep it as it is where it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def problem_text(answer: Answer) -> str:
    """Write a problem document (RFC 9457) in plain words."""
    if not isinstance(answer.body, dict):
        return f"HTTP {answer.status}: {answer.body}"
    title = answer.body.get("title") or answer.body.get("message") or answer.body.get("Message")
    lines = [f"HTTP {answer.status} {title or ''}: {answer.body.get('detail', '')}".rstrip(": ")]
    for error in answer.body.get("errors", []):
        value, allowed = error.get("value", ""), error.get("allowed", "")
        lines.append(f"  {error.get('pointer', '')}: {value!r} (allowed: {allowed})")
    return "\n".join(lines)


def curl_example(target: Target, sample_file: str) -> str:
    """Write how to call the API with curl, signed by curl itself."""
    lines = [
        f"curl -sS '{api_url(target)}/predictions'",
        f"--aws-sigv4 'aws:amz:{target.region}:{SERVICE}'",
        '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
        *(['--cacert "$AWS_CA_BUNDLE"'] if "AWS_CA_BUNDLE" in os.environ else []),
        *([] if target.is_local else ['-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"']),
        f"-H 'Content-Type: {JSON}'",
        f"--data @{sample_file}",
    ]
    return " \\\n  ".join(lines)
