"""Access tokens: validation, where a client sends one, and limits on guessing."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, unquote, unquote_plus

from powderkeg.errors import ConfigError

COOKIE = "powderkeg-token"
WRONG = 20
"""Wrong tokens an address may send within `MINUTE`."""
MINUTE = 60.0
"""Seconds over which they are counted, and for which the address is then refused."""
ADDRESSES = 1024
"""Addresses remembered; the one that guessed longest ago is dropped first."""


def valid_token(token: str | None) -> str:
    """Return a valid token; None, which requires none, becomes the empty one.

    Raises:
        ConfigError: It is empty or has characters that cannot be sent in a header.
    """
    if token is None:
        return ""
    if not token or not all("!" <= letter <= "~" for letter in token):
        raise ConfigError(
            "expected a token of ASCII letters, figures and signs without blanks, "
            f"found {'an empty one' if not token else 'one that is not'}"
        )
    return token


def token_matches(token: str, given: str) -> bool:
    """Return whether a client sent the token, or none is required."""
    return not token or hmac.compare_digest(given.encode(), token.encode())


def token_of(bearer: str, query: str, cookies: str) -> str:
    """Return the token a client sent: as a bearer, in its address, or as a page's cookie."""
    kept = (part.strip().partition("=") for part in cookies.split(";"))
    cookie = next((value for name, _, value in kept if name == COOKIE), "")
    return bearer.removeprefix("Bearer ") or query or unquote(cookie)


def cookie(token: str) -> str:
    """Return the cookie that keeps the token, hidden from scripts and other sites."""
    return f"{COOKIE}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict"


def split_token(query: bytes) -> tuple[bytes, str]:
    """Return a query without its ``token``, and the token, which must reach no route or log."""
    kept: list[bytes] = []
    token = ""
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if unquote_plus(name.decode("latin-1")) == "token":
            token = unquote_plus(value.decode("latin-1"))
        else:
            kept.append(part)
    return b"&".join(kept), token


class Guesses:
    """Counts wrong tokens by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none; `clock` returns seconds."""
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds an address is refused; 0 if it is not."""
        times = self._wrong.get(_client_key(address), deque[float]())
        if len(times) < WRONG or times[-1] - times[0] > MINUTE:
            return 0.0
        return max(0.0, times[-1] + MINUTE - self._clock())

    def add_wrong(self, address: str) -> None:
        """Record a wrong token."""
        client = _client_key(address)
        self._wrong.setdefault(client, deque(maxlen=WRONG)).append(self._clock())
        self._wrong.move_to_end(client)
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)


def _client_key(address: str) -> str:
    """Return the key of a client: an IPv6 host has a whole /64 to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)
