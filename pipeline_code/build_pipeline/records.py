"""Release records in the artefact bucket: what each environment was given last."""

from __future__ import annotations

import json
from typing import Any, cast

from botocore.exceptions import ClientError

from pipeline_code.build_pipeline.contract import ReleaseRecord, record_key

_MISSING = ("NoSuchKey", "404")


class ReleaseRecords:
    """Reads and writes them; the bucket keeps every version."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, environment: str, about: str) -> ReleaseRecord | None:
        """Read what was recorded last, or None where nothing was."""
        document = self.read_document(record_key(environment, about))
        return cast(ReleaseRecord, document) if document else None

    def write(self, environment: str, about: str, record: ReleaseRecord) -> None:
        """Record what was released."""
        self.write_document(record_key(environment, about), dict(record))

    def read_document(self, key: str) -> dict[str, Any] | None:
        """Read a JSON document, or None where there is none."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        return dict(json.loads(body))

    def write_document(self, key: str, document: dict[str, Any]) -> None:
        """Write a JSON document; the same content is the same bytes."""
        body = canonical(document)
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")


def canonical(document: Any) -> bytes:
    """Write a document as the bytes that are digested and signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
