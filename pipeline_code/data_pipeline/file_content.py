"""The content of a file in passing: unpacked in pieces of limited size, its lines counted."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

GZIP_BITS = 31
PIECE_BYTES = 1024 * 1024
"""What is unpacked at a time: a small file may hold a large one."""
TRUNCATED_GZIP = "truncated_gzip"
CORRUPT_GZIP = "corrupt_gzip"
"""Rules that a compressed file breaks as a whole."""


class GzipError(Exception):
    """A compressed file cannot be unpacked to its end; ``rule`` says which way it is broken."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def unpack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip, of one member or of several, in pieces of limited size.

    Raises:
        GzipError: it is truncated or corrupt; what came before is no use then.

    """
    members = _Members()
    try:
        for chunk in chunks:
            yield from members.unpack(chunk)
        yield from members.rest()
    except zlib.error as error:
        raise GzipError(CORRUPT_GZIP, f"cannot be unpacked: {error}") from error
    if not members.ended:
        raise GzipError(TRUNCATED_GZIP, "is compressed and ends before its end: deliver it again")


class _Members:
    """The members of a gzip file, one after the other."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(GZIP_BITS)

    @property
    def ended(self) -> bool:
        return self._decoder.eof

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(GZIP_BITS)
            yield self._decoder.decompress(chunk, PIECE_BYTES)
            chunk = self._decoder.unused_data or self._decoder.unconsumed_tail

    def rest(self) -> Iterator[bytes]:
        while not self._decoder.eof and (piece := self._decoder.decompress(b"", PIECE_BYTES)):
            yield piece


class LineCount:
    """Counts lines that are not blank, in pieces that come by."""

    def __init__(self) -> None:
        self._ended = 0
        self._open = False

    def add(self, piece: bytes) -> None:
        """Take a piece along."""
        parts = piece.replace(b"\r", b"\n").split(b"\n")
        filled = [bool(part.strip(b" ")) for part in parts]
        if len(parts) == 1:
            self._open |= filled[0]
            return
        self._ended += (self._open or filled[0]) + sum(filled[1:-1])
        self._open = filled[-1]

    @property
    def count(self) -> int:
        """Lines so far, the last one without its end included."""
        return self._ended + self._open
