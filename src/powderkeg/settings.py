"""All user settings, each with a working default. See docs/settings.md."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import MINUTE, SECOND


class Settings(Struct, frozen=True):
    """Settings of a desk and its server. Part of the digest: other settings, other state."""

    draw: int = MINUTE
    """µs between redraws of the newest column, a multiple of 100 ms: a minute in replay, a second
    when live."""
    flush: int = 10 * SECOND
    """µs between the ticks that replay puts into the stream, a multiple of 100 ms: how often
    openings are flushed."""
    columns: int = 1500
    """Columns kept of each time step."""
    bar_signals: bool = False
    """Whether signals follow stored candles too: without prints and books few begin."""
    disk: int = 20_000_000_000
    """Bytes that recordings may take; the oldest hours are deleted first."""
    host: str = "127.0.0.1"
    """Address to serve on. Anything but loopback demands a token."""
    port: int = 8788
    """Port to serve on; 0 takes a free one."""
    token: str = ""
    """Secret that clients must send when the server is not on loopback."""

    accounts: tuple[str, ...] = ()
    """Hyperliquid addresses whose positions are polled once a minute; none by default."""


LIVE = Settings(draw=SECOND, flush=SECOND)
"""Settings of desks while venues stream, and when such a recording is replayed."""
