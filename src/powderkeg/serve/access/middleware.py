"""Access guard: checks every request before any route, and adds headers to every answer."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from powderkeg.serve.access.headers import POLICY, secured
from powderkeg.serve.access.hosts import Names
from powderkeg.serve.access.tokens import Guesses, cookie, split_token, token_matches, token_of
from powderkeg.serve.answers.server import ErrorAnswer
from powderkeg.serve.codec import JSON, text

OPEN = ("/assets", "/reference", "/icon", "/manifest", "/sw.js", "/favicon")
"""Paths that need no token: static files of the page."""
GUARDED = ("/v1", "/metrics")
"""Paths closed to pages of other sites: a request costs work even if they cannot read it."""
ALLOW = {"allow": "GET, HEAD, OPTIONS"}
"""Every route is read only."""
HEAD_SIZE = 16 * 1024
"""Limit of headers and address, bytes."""
BODY_SIZE = 64 * 1024
"""Limit of a body, bytes; bodies are not read."""
NO_TOKEN = "expected the token this server was started with, as a bearer or ?token="  # noqa: S105
PAGE = "/"


class Refusal(NamedTuple):
    """An answer given before any route."""

    status: int
    error: str
    headers: dict[str, str]

    def start(self) -> dict[str, Any]:
        """Return status and headers of the ASGI message, without its type."""
        headers = dict(self.headers)
        if self.error:
            headers |= {"content-type": JSON, "content-length": str(len(self.body()))}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return {"status": self.status, "headers": secured(raw)}

    def body(self) -> bytes:
        """Return the error as JSON; empty without an error."""
        return text(ErrorAnswer(self.error)) if self.error else b""


@dataclass(frozen=True)
class AccessGuard:
    """Checks host, origin, method, size and token of requests."""

    token: str = ""
    """Token that clients must send; empty requires none."""
    names: Names | None = None
    """Host names of the server; None accepts all, for a program that checks them itself."""
    guesses: Guesses = field(default_factory=Guesses)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return `app` behind this guard."""

        async def guarded_app(scope: Scope, receive: Receive, send: Send) -> None:
            bare, token = split_token(scope["query_string"])
            inside: Any = {**scope, "query_string": bare}
            if scope["type"] == "websocket":
                await self._socket(app, inside, receive, send, token)
            else:
                await self._request(app, inside, receive, send, token)

        return guarded_app

    async def _request(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, token: str
    ) -> None:
        """Refuse a request, or pass it on."""
        only_head = scope.get("method") == "HEAD"
        refusal = (
            self._foreign(scope) or _other_method(scope) or _large(scope)
            or self._unauthorized(scope, token) or self._token_to_cookie(scope, token)
        )  # fmt: skip
        if refusal:
            start: Any = {"type": "http.response.start", **refusal.start()}
            await send(start)
            body = b"" if only_head else refusal.body()
            await send({"type": "http.response.body", "body": body, "more_body": False})
        elif only_head:
            await _head(app, scope, _securing(scope, send))
        else:
            await app(scope, receive, _securing(scope, send))

    async def _socket(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, token: str
    ) -> None:
        """Refuse a WebSocket, or pass it on; a missing token is reported by the close code."""
        refusal = self._foreign(scope) or _large(scope) or self._unauthorized(scope, token)
        if refusal is None:
            await app(scope, receive, send)
        elif refusal.status == 401:
            await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
            await send({"type": "websocket.close", "code": 4401, "reason": NO_TOKEN})
        else:
            start: Any = {"type": "websocket.http.response.start", **refusal.start()}
            body: Any = {"type": "websocket.http.response.body", "body": refusal.body()}
            await send(start)
            await send(body)

    def _foreign(self, scope: Scope) -> Refusal | None:
        """Refuse unknown host names and requests by other sites."""
        host = _header(scope, b"host")
        why = self.names.refusal(host) if self.names else ""
        guarded = scope["type"] == "websocket" or scope["path"].startswith(GUARDED)
        if not why and guarded:
            names = self.names or Names()
            why = names.foreign(host, _header(scope, b"origin"), _header(scope, b"sec-fetch-site"))
        return Refusal(403, why, {}) if why else None

    def _unauthorized(self, scope: Scope, token: str) -> Refusal | None:
        """Refuse a missing or wrong token, and for a minute anyone who guessed too often."""
        path = scope["path"]
        if not self.token or (path == PAGE and not token) or path.startswith(OPEN):
            return None
        client = scope["client"]
        address = client[0] if client else ""
        sent_token = token_of(_header(scope, b"authorization"), token, _header(scope, b"cookie"))
        if sent_token and (wait := self.guesses.wait(address)):
            words = "expected fewer wrong tokens from this address: it is refused for a minute"
            return Refusal(429, words, {"retry-after": str(math.ceil(wait))})
        if token_matches(self.token, sent_token):
            return None
        if sent_token:
            self.guesses.add_wrong(address)
        return Refusal(401, NO_TOKEN, {"www-authenticate": "Bearer"})

    def _token_to_cookie(self, scope: Scope, token: str) -> Refusal | None:
        """Move the token a page was opened with from the address to a cookie."""
        if not (self.token and token and scope["path"] == PAGE):
            return None
        query = scope["query_string"].decode("latin-1")
        headers = {"location": f"/?{query}" if query else "/", "set-cookie": cookie(token)}
        return Refusal(303, "", headers | {"cache-control": "no-store", "content-length": "0"})


def _other_method(scope: Scope) -> Refusal | None:
    """Answer methods other than GET and HEAD."""
    method = scope.get("method")
    if method in ("GET", "HEAD"):
        return None
    if method == "OPTIONS":
        return Refusal(204, "", ALLOW)
    return Refusal(405, f"expected GET or HEAD, found {method}", ALLOW)


def _large(scope: Scope) -> Refusal | None:
    """Refuse an oversized request, and close its connection."""
    close = {"connection": "close"}
    address = len(scope["raw_path"] or b"") + len(scope["query_string"])
    if address + sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_SIZE:
        return Refusal(431, f"expected headers and address of at most {HEAD_SIZE} bytes", close)
    if _header(scope, b"transfer-encoding"):
        return Refusal(411, "expected no body, or one with Content-Length", close)
    length = _header(scope, b"content-length")
    if len(length) > 9 or (length.isdecimal() and int(length) > BODY_SIZE):
        return Refusal(413, f"expected a body of at most {BODY_SIZE} bytes, found {length}", close)
    return None


def _header(scope: Scope, name: bytes) -> str:
    """Return a header, empty if there is none."""
    return next((v.decode("latin-1") for k, v in scope["headers"] if k.lower() == name), "")


def _securing(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds security headers, with the policy set by a page."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = scope["state"].get(POLICY)
            left = [(b"content-security-policy", own.encode())] if own else []
            message["headers"] = secured([*message["headers"], *left])
        await send(message)

    return sent


async def _head(app: ASGIApp, scope: Scope, send: Send) -> None:
    """Answer HEAD with the headers of a GET."""
    over = asyncio.Event()

    async def gone() -> Any:
        await over.wait()
        return {"type": "http.disconnect"}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            over.set()

    asked: Any = {**scope, "method": "GET"}
    await app(asked, gone, sent)
