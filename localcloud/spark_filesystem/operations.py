"""WebHDFS operations: what each asks of the file system and the document it answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.spark_filesystem.entries import Entry, parent
from localcloud.spark_filesystem.filesystem import RunFileSystem

BLOCK_BYTES = 32 * 1024 * 1024
OWNER = "hadoop"
HOME = "GET GETHOMEDIRECTORY"


@dataclass(frozen=True)
class Request:
    """One call: where it points and its query parameters, names in lower case."""

    method: str
    bucket: str
    key: str
    parameters: dict[str, str]

    @property
    def operation(self) -> str:
        """Name the operation, as in `GET LISTSTATUS`."""
        return f"{self.method} {self.parameters.get('op', '').upper()}"


class UnsupportedOperationError(Exception):
    """The bridge does not speak this WebHDFS operation."""


def answer(files: RunFileSystem, request: Request) -> dict[str, Any]:
    """Carry out an operation whose answer is a document."""
    operation = _OPERATIONS.get(request.operation)
    if operation is None:
        raise UnsupportedOperationError(f"{request.operation} is not supported on s3://")
    return operation(files, request)


def status_document(entry: Entry, name: str) -> dict[str, Any]:
    """Describe a file or directory as WebHDFS does."""
    return {
        "pathSuffix": name,
        "type": "DIRECTORY" if entry.is_directory else "FILE",
        "length": entry.size,
        "modificationTime": entry.modified_milliseconds,
        "accessTime": entry.modified_milliseconds,
        "blockSize": 0 if entry.is_directory else BLOCK_BYTES,
        "replication": 0 if entry.is_directory else 1,
        "permission": "777" if entry.is_directory else "666",
        "owner": OWNER,
        "group": OWNER,
        "fileId": 0,
        "childrenNum": 0,
        "storagePolicy": 0,
    }


def _status(files: RunFileSystem, request: Request) -> dict[str, Any]:
    return {"FileStatus": status_document(files.status(request.bucket, request.key), "")}


def _list(files: RunFileSystem, request: Request) -> dict[str, Any]:
    entries = files.children(request.bucket, request.key)
    return {"FileStatuses": {"FileStatus": [status_document(e, e.name) for e in entries]}}


def _list_batch(files: RunFileSystem, request: Request) -> dict[str, Any]:
    return {"DirectoryListing": {"partialListing": _list(files, request), "remainingEntries": 0}}


def _summary(files: RunFileSystem, request: Request) -> dict[str, Any]:
    count, size = files.summary(request.bucket, request.key)
    return {
        "ContentSummary": {
            "directoryCount": 1,
            "fileCount": count,
            "length": size,
            "quota": -1,
            "spaceConsumed": size,
            "spaceQuota": -1,
        }
    }


def _block_locations(files: RunFileSystem, request: Request) -> dict[str, Any]:
    # An object store has no block locality: an empty list lets Spark split by size alone.
    blocks = {
        "fileLength": files.status(request.bucket, request.key).size,
        "isUnderConstruction": False,
        "locatedBlocks": [],
        "lastLocatedBlock": None,
        "isLastBlockComplete": True,
    }
    return {"LocatedBlocks": blocks}


def _home(_files: RunFileSystem, _request: Request) -> dict[str, Any]:
    return {"Path": "/"}


def _make_directory(files: RunFileSystem, request: Request) -> dict[str, Any]:
    files.make_directory(request.bucket, request.key)
    return {"boolean": True}


def _rename(files: RunFileSystem, request: Request) -> dict[str, Any]:
    target = request.parameters["destination"].strip("/").split("/")
    # The first two components repeat the mount: the run's token and the bucket.
    bucket, key = target[1], "/".join(target[2:])
    if bucket != request.bucket:
        raise UnsupportedOperationError(f"rename from bucket {request.bucket} to {bucket}")
    if parent(key) and parent(key) == request.key:
        raise UnsupportedOperationError(f"rename of {request.key} into itself")
    return {"boolean": files.rename(bucket, request.key, key)}


def _delete(files: RunFileSystem, request: Request) -> dict[str, Any]:
    return {"boolean": files.delete(request.bucket, request.key)}


def _accept(_files: RunFileSystem, _request: Request) -> dict[str, Any]:
    # Permissions, owners and times have no meaning on S3; EMRFS accepts and ignores them too.
    return {}


_OPERATIONS: dict[str, Callable[[RunFileSystem, Request], dict[str, Any]]] = {
    "GET GETFILESTATUS": _status,
    "GET LISTSTATUS": _list,
    "GET LISTSTATUS_BATCH": _list_batch,
    "GET GETCONTENTSUMMARY": _summary,
    "GET GET_BLOCK_LOCATIONS": _block_locations,
    HOME: _home,
    "PUT MKDIRS": _make_directory,
    "PUT RENAME": _rename,
    "DELETE DELETE": _delete,
    "PUT SETPERMISSION": _accept,
    "PUT SETOWNER": _accept,
    "PUT SETTIMES": _accept,
    "PUT SETREPLICATION": _accept,
}
