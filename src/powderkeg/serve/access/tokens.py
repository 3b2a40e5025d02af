"""The token: which ones are taken, how one is told, and what guessing costs."""

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
"""Seconds in which they count, and for which the address is then refused."""
ADDRESSES = 1024
"""Addresses remembered; who guessed longest ago is forgotten first."""


def checked(token: str | None) -> str:
    """Return a token to be asked for; none, which asks for nothing, is the empty one.

    Raises:
        ConfigError: It is empty or has what cannot be sent in a header.
    """
    if token is None:
        return ""
    if not token or not all("!" <= letter <= "~" for letter in token):
        raise ConfigError(
            "expected a token of ASCII letters, figures and signs without blanks, "
            f"found {'an empty one' if not token else 'one that is not'}"
        )
    return token


def knows(token: str, given: str) -> bool:
    """Tell whether a client gave the token; where none is asked for, all do."""
    return not token or hmac.compare_digest(given.encode(), token.encode())


def given(bearer: str, query: str, cookies: str) -> str:
    """Return the token a client sent: as a bearer, in its address, or as a page's cookie."""
    kept = (part.strip().partition("=") for part in cookies.split(";"))
    cookie = next((value for name, _, value in kept if name == COOKIE), "")
    return bearer.removeprefix("Bearer ") or query or unquote(cookie)


def cookie(token: str) -> str:
    """Return the header by which the page keeps a token: no script and no other site sees it."""
    return f"{COOKIE}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict"


def taken_out(query: bytes) -> tuple[bytes, str]:
    """Return a query without its ``token``, and the token: no route and no log shall see it."""
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
    """Wrong tokens by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; `clock` gives seconds."""
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds an address is refused; 0 where it is not."""
        times = self._wrong.get(_one(address), deque[float]())
        if len(times) < WRONG or times[-1] - times[0] > MINUTE:
            return 0.0
        return max(0.0, times[-1] + MINUTE - self._clock())

    def note(self, address: str) -> None:
        """Remember a wrong token."""
        who = _one(address)
        self._wrong.setdefault(who, deque(maxlen=WRONG)).append(self._clock())
        self._wrong.move_to_end(who)
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)


def _one(address: str) -> str:
    """Return what counts as one client: an IPv6 host has a whole /64 to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)
