"""Endpoints of venues: as documented, or as set by `POWDERKEG_HOSTS`."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from powderkeg.errors import ConfigError

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
ALL: Final = "*"


def parse(text: str, venues: tuple[str, ...]) -> dict[str, str]:
    """Read the setting: one ``HOST[:PORT]`` for all venues, or ``venue=HOST[:PORT],...``.

    ``okx.ws=wseea.okx.com`` names the sockets' host apart from that of the requests.

    Raises:
        ConfigError: It is neither, or names an unknown venue.
    """
    hosts: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, host = part.rpartition("=")
        venue, _, kind = name.partition(".")
        if equals and (venue not in venues or kind not in ("", "ws", "rest")):
            raise ConfigError(f"expected hosts of {', '.join(venues)}, found {part!r}")
        if not host or "/" in host or any(c.isspace() for c in host):
            raise ConfigError(f"expected HOST or HOST:PORT, found {host!r}")
        hosts[name if equals else ALL] = host
    return hosts


def resolve(url: str, venue: str, hosts: dict[str, str]) -> str:
    """Return `url` with the configured host; loopback is used without TLS."""
    chunks = urlsplit(url)
    socket = chunks.scheme in ("ws", "wss")
    kind = "ws" if socket else "rest"
    host = hosts.get(f"{venue}.{kind}") or hosts.get(venue) or hosts.get(ALL)
    if not host:
        return url
    plain = host.rpartition(":")[0] in LOOPBACK or host in LOOPBACK
    scheme = ("ws" if plain else "wss") if socket else ("http" if plain else "https")
    return urlunsplit((scheme, host, chunks.path, chunks.query, ""))
