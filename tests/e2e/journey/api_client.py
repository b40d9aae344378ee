"""A client of the deployed API as anybody could write it: signed requests over one connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

TIMEOUT_SECONDS = 60
APPROVALS = "/approvals/"


class Signature(AuthBase):
    """Signs what is about to be sent, as it is."""

    def __init__(self, keys: Credentials, region: str, *, service: str = "execute-api") -> None:
        self._auth = SigV4Auth(keys, service, region)

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        address = urlsplit(prepared.url)
        request = AWSRequest(
            prepared.method,
            urlunsplit(address._replace(query="")),
            data=prepared.body,
            # What is signed is the encoded query; a URL may hold characters that need no encoding.
            params=parse_qsl(address.query, keep_blank_values=True),
        )
        self._auth.add_auth(request)
        prepared.headers.update(dict(request.headers))
        return prepared


@dataclass
class ApiClient:
    """Speaks to both APIs of a platform, as the operator unless other keys are given."""

    platform: Any
    keys: Credentials | None = None
    session: requests.Session = field(default_factory=requests.Session)
    bases: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = self.platform.environment
        self.region = own["AWS_DEFAULT_REGION"]
        self.keys = self.keys or Credentials(own["AWS_ACCESS_KEY_ID"], own["AWS_SECRET_ACCESS_KEY"])
        self.session.verify = own["AWS_CA_BUNDLE"]
        self.session.trust_env = False
        for block in ("Inference", "TrainingPipeline"):
            outputs = self.platform.outputs(block)
            self.bases[block] = (
                f"{own['AWS_ENDPOINT_URL']}/restapis/{outputs['ApiId']}"
                f"/{outputs['ApiStage']}/_user_request_"
            )

    def base(self, path: str) -> str:
        """Give the address of the API that serves a path."""
        return self.bases["TrainingPipeline" if path.startswith(APPROVALS) else "Inference"]

    def signature(self) -> Signature:
        """Give what signs with this client's keys."""
        return Signature(self.keys, self.region)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: AuthBase | None = None,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; a body that is no text is sent as JSON."""
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        return self.session.request(
            method,
            self.base(path) + path,
            data=content,
            headers={"Content-Type": "application/json", **(headers or {})},
            auth=auth or (self.signature() if signed else _unsigned),
            timeout=TIMEOUT_SECONDS,
        )


def _unsigned(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared
