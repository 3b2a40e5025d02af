"""Static files of the page: compressed once, cached for a year where the name carries a hash."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import brotli
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from powderkeg.serve.access.headers import policy

FOLDER = Path(__file__).parents[1] / "static"
MISSING = """<!doctype html><meta charset=utf-8><title>powderkeg</title><h1>powderkeg</h1>
<p>The API answers, but this installation holds no page: it was installed with
POWDERKEG_SKIP_WEB=1. Install it again without, or ask <a href=/docs>the API</a>."""
TYPES = {
    ".webmanifest": "application/manifest+json",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
}
COMPRESSIBLE = {".js", ".css", ".html", ".svg", ".webmanifest", ".json"}
"""File types worth compressing; fonts and pictures are compressed already."""
FOREVER = "public, max-age=31536000, immutable"
"""For files under assets/, whose names carry a hash of their content."""
FRESH = "no-cache"
"""For the rest: cached, but revalidated each time."""


class File(NamedTuple):
    """One file, ready to be sent."""

    kind: str
    tag: str
    plain: bytes
    small: bytes
    """Compressed with brotli; empty if that is not smaller."""
    policy: str
    """Its Content-Security-Policy; empty for the default one."""


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> File:
    """Return a file; `changed`, ns, makes a new build a new file."""
    del changed
    plain = path.read_bytes()
    kind = (
        TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    small = brotli.compress(plain, quality=11) if path.suffix in COMPRESSIBLE else b""
    tag = f'"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"'
    allows = policy(plain) if path.suffix == ".html" else ""
    return File(kind, tag, plain, small if len(small) < len(plain) else b"", allows)


def find(folder: Path, name: str) -> Path | None:
    """Return the file for a request path, None if there is none.

    Nothing outside the folder is ever found, whatever the path says.
    """
    try:
        path = (folder / (name.strip("/") or "index.html")).resolve()
        inside = path.is_relative_to(folder.resolve()) and not path.name.startswith(".")
        return path if inside and path.is_file() else None
    except (OSError, ValueError):  # longer than a path may be, or with a zero byte
        return None


def _send(request: Request[Any, Any, State], path: Path) -> Response[bytes]:
    file = _read(path, path.stat().st_mtime_ns)
    forever = path.parent.name == "assets"
    headers = {
        "etag": file.tag, "vary": "accept-encoding",
        "cache-control": FOREVER if forever else FRESH,
    }  # fmt: skip
    if file.policy:
        headers["content-security-policy"] = file.policy
    if request.headers.get("if-none-match") == file.tag:
        return Response(b"", status_code=304, headers=headers)
    body = file.plain
    if file.small and "br" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = file.small, "br"
    return Response(body, media_type=file.kind, headers=headers)


def make_page(folder: Path = FOLDER) -> HTTPRouteHandler:
    """Return the route of the page, or of a plain explanation if it was not built."""
    if not (folder / "index.html").exists():

        @get("/", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
        def missing() -> str:
            return MISSING

        return missing

    @get(["/", "/{name:path}"], include_in_schema=False)
    async def page(request: Request[Any, Any, State]) -> Response[bytes]:
        """Return a file of the page."""
        path = find(folder, request.url.path)
        if path is None:
            found = request.url.path[:80]
            raise NotFoundException(f"expected a page or a /v1 address, found {found}")
        # The first request of each build compresses it, which takes most of a second.
        return await asyncio.to_thread(_send, request, path)

    return page
