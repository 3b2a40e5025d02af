"""Faults of a simulated venue, injected on request; every fault ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from powderkeg.errors import RequestError

COUNTED: Final = ("drop", "duplicate", "reorder")
"""Act on the next `n` book frames."""
TIMED: Final = (
    "silent",
    "slow",
    "close_24h",
    "pong_ignored",
    "stale_snapshot",
    "replay_on_subscribe",
    "late_liquidation",
    "http_429",
    "http_418",
    "http_451",
    "http_403",
    "clock_skew",
    "coinm_rows",
)
"""Last `seconds`."""
INSTANT: Final = ("close", "seq_reset", "liquidation_batch")
ALWAYS: Final = ("wrong_route_silent", "both_sides_oi")
"""Always true of the venues, fault or not."""
FLAGS: Final = ("pong_ignored", "stale_snapshot", "replay_on_subscribe", "clock_skew", "coinm_rows")
"""Change the content of messages; the server handles the others."""
ONLY: Final = {
    "seq_reset": ("bybit", "bybit-inverse", "okx"),
    "stale_snapshot": ("binance", "binance-coin", "binance-spot"),
    "coinm_rows": ("binance",),
    "replay_on_subscribe": ("bitget",),
}
"""Venues of a fault, if not all; OKX repeats old liquidations anyway."""
STATUS: Final = {"http_429": 429, "http_418": 418, "http_451": 451, "http_403": 403}


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """One request to `POST /faults`."""

    venue: str
    fault: str
    seconds: float = 5.0
    n: int = 1
    symbol: str = ""
    """Only this market, for faults of one market; empty for all."""
    delay: float = 20.0
    """Seconds by which ``slow`` and ``late_liquidation`` are late."""
    skew: float = 0.0
    """Seconds for ``clock_skew``."""
    age: float = 0.0
    """Seconds after which ``close_24h`` closes a socket."""


class Faults:
    """The faults of one venue that are on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure time by `clock`, monotonic seconds."""
        self._clock = clock
        self._until: dict[str, float] = {}
        self._asked: dict[str, Fault] = {}
        self._left: dict[str, int] = {}

    def add(self, asked: Fault) -> None:
        """Begin a timed or counted fault.

        Raises:
            RequestError: There is no such fault, not at this venue, or it would never end.
        """
        name = asked.fault
        if name not in (*COUNTED, *TIMED, *INSTANT, *ALWAYS):
            raise RequestError(
                f"expected a fault of {(*COUNTED, *TIMED, *INSTANT, *ALWAYS)}, found {name!r}"
            )
        if asked.venue not in ONLY.get(name, (asked.venue,)):
            raise RequestError(f"expected {name} at one of {ONLY[name]}, found {asked.venue!r}")
        if not (0 < asked.seconds <= 86_400 and 0 < asked.n <= 10_000):
            raise RequestError(
                f"expected seconds in (0, 86400] and n in [1, 10000],"
                f" found {asked.seconds} and {asked.n}"
            )
        self._asked[name] = asked
        if name in COUNTED:
            self._left[name] = self._left.get(name, 0) + asked.n
        elif name in TIMED:
            self._until[name] = self._clock() + asked.seconds

    def on(self, name: str) -> Fault | None:
        """Return a timed fault if it is on."""
        return self._asked[name] if self._until.get(name, -1.0) > self._clock() else None

    def left(self, name: str) -> float:
        """Return the seconds a timed fault will still last."""
        return max(0.0, self._until.get(name, 0.0) - self._clock())

    def spend(self, name: str, symbol: str) -> bool:
        """Return whether a counted fault hits this market now, and count it."""
        if not self._left.get(name) or self._asked[name].symbol not in {"", symbol}:
            return False
        self._left[name] -= 1
        return True

    def running(self) -> dict[str, float]:
        """Return the faults that are on, with the seconds or the count left."""
        timed = {name: self.left(name) for name in TIMED if self.left(name) > 0}
        return timed | {name: float(n) for name, n in self._left.items() if n}
