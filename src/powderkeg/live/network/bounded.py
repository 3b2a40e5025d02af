"""Bounded reading of answers: no answer and no message may take more memory than that.

The largest answers are lists of instruments (a few MB, tens of kB a book or a page of candles).
"""

from __future__ import annotations

import zlib
from typing import Final

import aiohttp

MOST: Final = 32 * 1024 * 1024
"""Bytes of an answer, unpacked."""
MESSAGE: Final = 8 * 1024 * 1024
"""Bytes of a message of a socket, with all its parts: the largest real ones are below 1 MB."""
PIECE: Final = 256 * 1024
"""Bytes unpacked at a time."""
PACKED: Final = {"accept-encoding": "gzip"}
"""The only encoding requested: it can be unpacked piece by piece."""
_AUTO: Final = zlib.MAX_WBITS | 32
"""gzip or zlib, whichever it is."""


class InvalidResponse(Exception):  # noqa: N818  a fact, not an error of ours
    """An answer is too large, damaged, or in an encoding that was not requested."""


def session(seconds: float) -> aiohttp.ClientSession:
    """Return a session with a total timeout, whose answers are read with `read`."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=seconds), headers=PACKED, auto_decompress=False
    )


async def read(answer: aiohttp.ClientResponse, most: int = MOST) -> bytes:
    """Return the decompressed body of an answer.

    Raises:
        InvalidResponse: It is larger than `most`, damaged, or in another encoding.
    """
    packing = answer.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise InvalidResponse(
            f"expected an answer packed with gzip or not at all, found {packing[:40]!r}"
        )
    body = _Body(packing not in ("identity", ""), most)
    async for piece in answer.content.iter_chunked(PIECE):
        body.add(piece)
    return body.end()


class _Body:
    """Incremental decompressor of one body."""

    def __init__(self, packed: bool, most: int) -> None:
        self.whole = bytearray()
        self._most = most
        self._unpacker = zlib.decompressobj(_AUTO) if packed else None

    def add(self, piece: bytes) -> None:
        """Add a piece, unpacked no further than the bound."""
        if self._unpacker is None:
            self.whole += piece[: self._rest]
        while piece and self._unpacker is not None and self._rest:
            try:
                self.whole += self._unpacker.decompress(piece, min(PIECE, self._rest))
            except zlib.error as why:
                raise InvalidResponse(f"expected a gzip answer: {why}") from why
            piece = self._unpacker.unconsumed_tail
        if not self._rest:
            raise InvalidResponse(f"expected at most {self._most:,} bytes, found more")

    @property
    def _rest(self) -> int:
        """Bytes left before the bound is exceeded."""
        return self._most + 1 - len(self.whole)

    def end(self) -> bytes:
        """Return the complete body."""
        if self._unpacker is not None and self.whole and not self._unpacker.eof:
            raise InvalidResponse("expected a whole gzip answer, found it cut short")
        return bytes(self.whole)
