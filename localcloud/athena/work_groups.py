"""Work groups, which ministack keeps: what each decides for its queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import athena

from localcloud.registry import ServiceError

PRIMARY = "primary"


@dataclass(frozen=True)
class Output:
    """Where a query's results go and how they are encrypted."""

    location: str
    encryption: Mapping[str, str]

    def put_arguments(self) -> dict[str, str]:
        """Give the arguments of ``PutObject`` that encrypt a result."""
        option = self.encryption.get("EncryptionOption", "")
        if option == "SSE_KMS":
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.encryption["KmsKey"]}
        if option == "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        if option:
            raise ServiceError("InvalidRequestException", f"{option} is not supported here")
        return {}


@dataclass(frozen=True)
class WorkGroup:
    """A work group's name and rules."""

    name: str
    configuration: Mapping[str, Any]

    @property
    def scan_limit(self) -> int | None:
        """Bytes that one query may scan."""
        limit = self.configuration.get("BytesScannedCutoffPerQuery")
        return int(limit) if limit else None

    @property
    def enforces(self) -> bool:
        """Tell whether what a client asks for its results is left unheard."""
        return str(self.configuration.get("EnforceWorkGroupConfiguration", True)).lower() == "true"

    def output(self, asked: Mapping[str, Any]) -> Output:
        """Decide where a query's results go; the client is heard where the group lets it."""
        own = self.configuration.get("ResultConfiguration") or {}
        chosen = own if self.enforces and own.get("OutputLocation") else {**own, **asked}
        if not chosen.get("OutputLocation"):
            message = (
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
            raise ServiceError("InvalidRequestException", message)
        return Output(chosen["OutputLocation"], chosen.get("EncryptionConfiguration") or {})


def find(name: str) -> WorkGroup:
    """Find an enabled work group of the account and region of the current request."""
    athena._ensure_default_workgroup()  # noqa: SLF001  ministack makes it on first use
    found = athena._workgroups.get(name)  # noqa: SLF001  ministack has no public reader
    if found is None:
        raise ServiceError("InvalidRequestException", f"WorkGroup {name} is not found.")
    if found.get("State") == "DISABLED":
        raise ServiceError("InvalidRequestException", f"WorkGroup {name} is disabled.")
    return WorkGroup(name, found.get("Configuration") or {})
