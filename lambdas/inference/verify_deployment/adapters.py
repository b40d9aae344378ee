"""Golden records in S3, the endpoint in SageMaker."""

from __future__ import annotations

import json
from typing import Any

from lambdas.common.documents import S3Documents
from lambdas.inference.verify_deployment.logic import GoldenRecord
from pipeline_code.inference.contract import JSON


class S3GoldenRecords:
    """Golden records as JSON lines beside the artefact."""

    def __init__(self, documents: S3Documents) -> None:
        self._documents = documents

    def read(self, uri: str) -> list[GoldenRecord]:
        """Read them all."""
        lines = self._documents.read_bytes(uri).splitlines()
        return [json.loads(line) for line in lines if line.strip()]


class SageMakerEndpoint:
    """An endpoint of SageMaker."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def ask(self, endpoint_name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request."""
        answer = self._client.invoke_endpoint(
            EndpointName=endpoint_name,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps(request).encode(),
        )
        document: dict[str, Any] = json.loads(answer["Body"].read())
        return document
