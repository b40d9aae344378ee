"""Signatures by an asymmetric key of KMS, whose private half nobody ever holds."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code
from lambdas.common.seals import ALGORITHM

_INVALID = ("KMSInvalidSignatureException", "KMSInvalidSignature")


class KmsSignatures:
    """Signs with, and verifies against, one key."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def sign(self, digest: bytes) -> bytes:
        """Give the signature of a SHA-256 digest."""
        answer = self._client.sign(
            KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM
        )
        signature: bytes = answer["Signature"]
        return signature

    def is_valid(self, digest: bytes, signature: bytes) -> bool:
        """Tell whether the key signed a SHA-256 digest."""
        try:
            answer = self._client.verify(
                KeyId=self._key,
                Message=digest,
                MessageType="DIGEST",
                Signature=signature,
                SigningAlgorithm=ALGORITHM,
            )
        except ClientError as error:
            if error_code(error) not in _INVALID:
                raise
            return False
        return bool(answer["SignatureValid"])
