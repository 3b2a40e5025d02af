"""What candles of a market traded, minute by minute: the usual volume before its first print."""

from __future__ import annotations

from typing import Final

import numpy as np

from powderkeg.events import DAY, MINUTE, Candles, Floats

KEPT: Final = DAY // MINUTE
"""Minutes that are kept."""


class CandleVolumes:
    """Volume of the last day of candles."""

    __slots__ = ("end", "volumes")

    def __init__(self) -> None:
        """Start without a candle."""
        self.end = 0
        """Number of the minute after the newest."""
        self.volumes: Floats = np.full(KEPT, np.nan)
        """Quote currency, the newest minute last; NaN where there is no candle."""

    def add(self, bars: Candles) -> None:
        """Add candles of whole minutes; longer ones are spread evenly, assumed volumes left out."""
        per = bars.span // MINUTE
        if bars.assumed or not per or not len(bars.times):
            return
        firsts, money = bars.times // MINUTE, bars.volume * bars.close / per
        self._move(int(firsts[-1]) + per)
        for n in range(per):
            places = firsts + n - self.end
            kept = places >= -KEPT
            self.volumes[places[kept]] = money[kept]

    def _move(self, end: int) -> None:
        """Let the newest minute be the one before `end`."""
        gone = min(end - self.end, KEPT)
        if gone > 0:
            self.volumes[:-gone] = self.volumes[gone:].copy()
            self.volumes[-gone:] = np.nan
            self.end = end

    def until(self, minute: int, count: int = KEPT) -> Floats:
        """Return the volumes of so many minutes, the last of them `minute`, shape (count,)."""
        places = np.arange(minute - count + 1, minute + 1) - self.end
        known = (places >= -KEPT) & (places < 0)
        out = np.full(count, np.nan)
        out[known] = self.volumes[places[known]]
        return out
