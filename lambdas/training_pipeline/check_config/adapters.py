"""Documents of the config store in S3, read as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import yaml

from lambdas.common.documents import S3Documents
from lambdas.common.uris import s3_uri
from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX


def parse_yaml(text: str) -> object:
    """Read YAML; raises ``ValueError``, which says where it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


class S3ConfigDocuments:
    """The documents of the config store."""

    def __init__(self, documents: S3Documents, bucket: str, published_uri: str) -> None:
        self._documents = documents
        self._bucket = bucket
        self._published_uri = published_uri

    def text(self, key: str) -> str:
        """Read a document as it arrived."""
        return self._documents.read_bytes(s3_uri(self._bucket, key)).decode("utf-8", "replace")

    def published(self) -> Mapping[str, Any]:
        """Read the configuration that is published with the stack."""
        return cast(Mapping[str, Any], self._documents.read(self._published_uri))

    def keep(self, digest: str, config: Mapping[str, Any]) -> None:
        """Keep a configuration under its digest."""
        uri = s3_uri(self._bucket, f"{TRAINING_CONFIG_PREFIX}{digest}.json")
        self._documents.write(uri, config)

    def requested_by(self, key: str) -> str:
        """Give who put a document there, as far as it says."""
        return self._documents.metadata(s3_uri(self._bucket, key)).get("requested-by", "")
