"""Cache in the user's cache folder, for market histories that take long to compute.

A file is used only if this version of the code wrote it: its key covers every source file of the
package. A damaged file is logged and computed again.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from powderkeg.log import get_logger

log = get_logger("simvenues")

PACKAGE = Path(__file__).parents[1]
DIGEST = 16
"""Bytes of the checksum a file begins with."""
OFF = "0"


def folder() -> Path | None:
    """Return the cache folder; None with ``POWDERKEG_CACHE=0``."""
    named = os.environ.get("POWDERKEG_CACHE", "")
    if named == OFF:
        return None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named) if named else Path(base) / "powderkeg"


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return a digest of every source file of the package."""
    summed = hashlib.blake2b(digest_size=8)
    for path in sorted(PACKAGE.rglob("*.py")):
        summed.update(path.read_bytes())
    return summed.hexdigest()


def load(name: str, key: str) -> bytes | None:
    """Return the bytes stored under a name for this key, or None."""
    base = folder()
    if base is None:
        return None
    path = _path(base, name, key)
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    body = raw[DIGEST + 8 :]
    if hashlib.blake2b(body, digest_size=DIGEST).digest() != raw[:DIGEST]:
        log.warning("cache_damaged", path=str(path))
        return None
    size = int.from_bytes(raw[DIGEST : DIGEST + 8], "little")
    return bytes(pa.decompress(body, decompressed_size=size, codec="zstd", asbytes=True))


def save(name: str, key: str, raw: bytes) -> None:
    """Store bytes under a name, replacing those stored for another key."""
    base = folder()
    if base is None:
        return
    path = _path(base, name, key)
    body = pa.compress(raw, codec="zstd", asbytes=True)
    head = hashlib.blake2b(body, digest_size=DIGEST).digest() + len(raw).to_bytes(8, "little")
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        base.mkdir(parents=True, exist_ok=True)
        part.write_bytes(head + body)
        part.replace(path)
        for old in base.glob(f"{name}-*"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as why:
        log.warning("cache_not_written", path=str(path), reason=str(why))


def _path(base: Path, name: str, key: str) -> Path:
    summed = hashlib.blake2b(f"{code_digest()} {key}".encode(), digest_size=12).hexdigest()
    return base / f"{name}-{summed}"
