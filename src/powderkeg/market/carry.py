"""Mark, index, funding and open interest of one market, and the age of each."""

from __future__ import annotations

import msgspec

from powderkeg.events import HOUR, MINUTE, Funding, Mark, OpenInterest
from powderkeg.market.guard import Guard

_MARK_JUMP, _MARK_MEMORY = 0.02, 10 * MINUTE
_OI_JUMP, _OI_MEMORY = 0.20, HOUR
"""Jumps held until a second reading confirms them, and the age beyond which none is a reference."""


class Carry:
    """The last accepted mark, index, funding and open interest of one market.

    Values are NaN (or 0 for times and the interval) until known.
    """

    __slots__ = (
        "_mark", "_oi", "funding", "funding_at", "index", "interval", "mark", "mark_at",
        "market", "oi", "oi_at",
    )  # fmt: skip

    def __init__(self, market: str) -> None:
        self.market = market
        self.mark = self.index = self.funding = self.oi = float("nan")
        self.interval = 0
        """µs between payments; a rate means nothing without it."""
        self.mark_at = self.funding_at = self.oi_at = 0
        self._mark = Guard(_MARK_JUMP, _MARK_MEMORY)
        self._oi = Guard(_OI_JUMP, _OI_MEMORY)

    @property
    def dropped(self) -> int:
        """Readings that were not confirmed."""
        return self._mark.dropped + self._oi.dropped

    def apply(self, event: Mark | Funding | OpenInterest) -> Mark | Funding | OpenInterest | None:
        """Apply a reading and return it, or None where it is held."""
        if isinstance(event, Funding):
            self.funding, self.interval, self.funding_at = (
                event.rate,
                event.interval,
                event.event_time,
            )
            return event
        if isinstance(event, Mark):
            if self._mark.check(event.price, event.event_time) == "hold":
                return None
            self.mark, self.mark_at = event.price, event.event_time
            if event.index is not None:
                self.index = event.index
            return event
        if self._oi.check(event.size, event.event_time) == "hold":
            return None
        self.oi, self.oi_at = event.size, event.event_time
        return event

    def ages(self, now: int) -> dict[str, float]:
        """Return how old each known reading is, in s."""
        known = {"mark": self.mark_at, "funding": self.funding_at, "oi": self.oi_at}
        return {name: (now - at) / 1e6 for name, at in known.items() if at}

    def state(self) -> bytes:
        """Return all state that affects later results, for hashing."""
        values = (self.mark, self.index, self.funding, self.interval, self.oi)
        times = (self.mark_at, self.funding_at, self.oi_at)
        guards = (self._mark.state(), self._oi.state())
        return msgspec.msgpack.encode((self.market, values, times, guards))
