"""Checks of Host and Origin: against DNS rebinding and requests by other sites."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from powderkeg.errors import ConfigError

_NAME = r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*"
_HOST = re.compile(rf"(?P<name>\[[0-9a-f:.]+\]|{_NAME})\.?(:[0-9]{{0,5}})?")
_ORIGIN = re.compile(r"https?://(?P<host>[^/?#@]+)")
OWN_SITE = ("", "same-origin", "none")
"""``Sec-Fetch-Site`` of our own page, of a typed address, and of old browsers."""


@dataclass(frozen=True)
class Names:
    """Host names that a server accepts."""

    names: frozenset[str] = frozenset()
    """Besides loopback: the address served on, and those of ``--allow``."""
    any_address: bool = False
    """Served on all interfaces: any IP address is accepted, since only names can be rebound."""

    def refusal(self, host: str) -> str:
        """Return why a ``Host`` header is refused, or nothing."""
        name = host_name(host)
        if name is not None and self._accepts(name):
            return ""
        return (
            f"expected a Host this server is known by, found {host[:80]!r}: "
            "start it with --allow NAME to be asked by another"
        )

    def foreign(self, host: str, origin: str, site: str) -> str:
        """Return why a request sent by a page is refused, or nothing.

        Args:
            host: The ``Host`` header.
            origin: The ``Origin`` header; empty where there is none.
            site: The ``Sec-Fetch-Site`` header; empty where there is none.
        """
        if origin and not self._own_page(host, origin):
            return f"expected a request from this server's own page, found Origin {origin[:80]!r}"
        if not origin and site not in OWN_SITE:
            return f"expected a request from this server's own page, found one that is {site[:40]}"
        return ""

    def _accepts(self, name: str) -> bool:
        address = _address(name)
        if address is not None and (address.is_loopback or self.any_address):
            return True
        return name == "localhost" or name in self.names

    def _own_page(self, host: str, origin: str) -> bool:
        found = _ORIGIN.fullmatch(origin.lower())
        if found is None:  # null, an extension, a file
            return False
        return found["host"] == host.lower() or host_name(found["host"]) in self.names


def host_name(host: str) -> str | None:
    """Return the name in ``NAME[:PORT]``, lower case without brackets; None if invalid."""
    found = _HOST.fullmatch(host.lower())
    return found["name"].strip("[]") if found else None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def allowed(words: str) -> frozenset[str]:
    """Return names as ``--allow`` gives them, separated by commas.

    Raises:
        ConfigError: One is not a host name.
    """
    given = [word.strip().lower() for word in words.split(",") if word.strip()]
    if odd := [word for word in given if not _is_name(word)]:
        raise ConfigError(
            "expected names such as map.example.com in --allow, by comma, without scheme or port; "
            f"found {', '.join(map(repr, odd))}"
        )
    return frozenset(given)


def _is_name(word: str) -> bool:
    return _address(word) is not None or re.fullmatch(_NAME, word) is not None


def names_of(host: str, bound: str, allow: str) -> Names:
    """Return the names of a server.

    Args:
        host: Address to serve on.
        bound: IP address it is bound to.
        allow: Further names, by comma.

    Raises:
        ConfigError: `allow` holds something other than host names.
    """
    address = _address(bound)
    everywhere = address is not None and address.is_unspecified
    return Names(frozenset({host.lower(), bound}) | allowed(allow), everywhere)
