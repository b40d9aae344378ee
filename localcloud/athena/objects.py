"""The objects that a table's rows lie in, fetched as the caller of the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse


@dataclass(frozen=True)
class Object:
    """An object below a location: its address, size, time, and the file it was fetched to."""

    uri: str
    size_bytes: int
    modified: datetime
    file: Path


class Objects:
    """Fetches objects into a folder, as ``<folder>/<bucket>/<key>``."""

    def __init__(self, s3: Any, folder: Path) -> None:
        self._s3 = s3
        self.folder = folder

    def below(self, location: str) -> list[Object]:
        """List all objects below a location; names that begin with `_` or `.` are hidden."""
        parts = urlparse(location, allow_fragments=False)
        prefix = f"{parts.path.strip('/')}/".lstrip("/")
        return [
            Object(
                uri=f"s3://{parts.netloc}/{item['Key']}",
                size_bytes=item["Size"],
                modified=item["LastModified"],
                file=self.folder / parts.netloc / item["Key"],
            )
            for item in self._list(parts.netloc, prefix)
            if item["Size"] and not _is_hidden(item["Key"].removeprefix(prefix))
        ]

    def fetch(self, objects: Sequence[Object]) -> None:
        """Bring the objects' content into their files."""
        for each in objects:
            bucket, key = each.uri.removeprefix("s3://").split("/", 1)
            each.file.parent.mkdir(parents=True, exist_ok=True)
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
            with body, each.file.open("wb") as file:
                for chunk in body.iter_chunks(1 << 20):
                    file.write(chunk)

    def _list(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", [])


def _is_hidden(relative_key: str) -> bool:
    return any(part.startswith(("_", ".")) for part in relative_key.split("/"))
