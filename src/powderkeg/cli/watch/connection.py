"""The connection to a server: its messages, and what happened to it between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from powderkeg.cli.serve import LOOPBACK
from powderkeg.errors import ConfigError
from powderkeg.maps.flow.queries import LadderQuery

FIRST_PAUSE: Final = 0.5
"""Seconds before the first attempt to reconnect; each further pause is twice as long."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two attempts at most."""
SILENCE: Final = 15.0
"""Seconds without a message after which a connection is given up: a read is sent every second."""
REFUSED: Final = range(4400, 4500)
"""Codes with which the server closes what it will not answer."""


class Connected(Struct, frozen=True):
    """A connection was opened."""


class Lost(Struct, frozen=True):
    """There is no connection; the next attempt follows after a pause."""

    why: str
    """The reason."""
    pause: float
    """Seconds until the next attempt."""


class Refused(Struct, frozen=True):
    """The server will not answer this; nothing follows."""

    why: str
    """Its reason."""


Update: TypeAlias = bytes | Connected | Lost | Refused
Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Server(Struct, frozen=True):
    """Where a server is, and the token it asks for."""

    url: str
    """Such as ``http://127.0.0.1:8788``."""
    token: str = ""
    """Empty where it asks for none."""

    def address(self, coin: str, query: LadderQuery) -> str:
        """Return the address of the stream.

        Raises:
            ConfigError: The URL is none of http or https.
        """
        parts = urlsplit(self.url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise ConfigError(f"expected an http address such as http://HOST:PORT, got {self.url}")
        asked = urlencode({"topic": "flow", "coin": coin, **_changed(query)})
        return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/v1/stream?{asked}"


def _changed(query: LadderQuery) -> dict[str, Any]:
    """Return the parameters that differ from their default."""
    own = ((field.name, field.default) for field in msgspec.structs.fields(query))
    return {name: getattr(query, name) for name, default in own if getattr(query, name) != default}


async def updates(
    server: Server,
    coin: str,
    query: LadderQuery,
    sleep: Sleep = asyncio.sleep,
    silence: float = SILENCE,
) -> AsyncIterator[Update]:
    """Yield messages, reconnecting with growing pauses, until the server refuses.

    Args:
        server: Where to ask.
        coin: The coin.
        query: Rows and window of the ladder.
        sleep: Waits for so many seconds before the next attempt.
        silence: Seconds without a message after which the connection is given up.

    Raises:
        ConfigError: The URL is none of http or https.
    """
    address, pause = server.address(coin, query), FIRST_PAUSE
    while True:
        try:
            async with _opened(address, server) as socket:
                yield Connected()
                while True:
                    message = await asyncio.wait_for(socket.recv(), silence)
                    pause = FIRST_PAUSE
                    yield message if isinstance(message, bytes) else message.encode()
        except TimeoutError:
            why = f"expected a message of {server.url} within {silence:g} s, found none"
        except (OSError, InvalidHandshake, ConnectionClosed) as error:
            if refusal := _refusal(error):
                yield Refused(refusal)
                return
            why = _reason(error, server.url)
        yield Lost(why, pause)
        await sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _opened(address: str, server: Server) -> connect:
    """Return a connection to open; a proxy is asked for other machines only."""
    local = urlsplit(address).hostname in LOOPBACK
    headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
    return connect(address, additional_headers=headers, proxy=None if local else True)


def _refusal(error: Exception) -> str:
    """Return why the server refuses; empty where it does not."""
    match error:
        case ConnectionClosed(rcvd=frame) if frame is not None and frame.code in REFUSED:
            return frame.reason or f"the server closed with code {frame.code}"
        case InvalidStatus(response=answer) if 400 <= answer.status_code < 500:
            words = bytes(answer.body or b"").decode(errors="replace")[:200]
            return f"the server answered {answer.status_code}: {words}"
        case _:
            return ""


def _reason(error: Exception, url: str) -> str:
    match error:
        case ConnectionClosed():
            return f"{url} closed the connection"
        case _:
            return f"expected powderkeg to answer at {url}: {error or type(error).__name__}"
