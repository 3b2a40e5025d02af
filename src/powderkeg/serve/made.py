"""A made market's past, lived through at once: for a map without a server, and for tests."""

from __future__ import annotations

import msgspec
import numpy as np

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, Candles, Funding, Liquidation
from powderkeg.settings import Settings
from powderkeg.sim import DEMO, MadeMarket, MinuteHistory


def prepare(
    coin: str, seed: int, until: int, days: float, settings: Settings
) -> tuple[MadeMarket, Desk]:
    """Live through a coin's past and return its market and the desk that watched it.

    Args:
        coin: One of the demo worlds.
        seed: Of the market.
        until: µs at which the past ends, a whole minute.
        days: Length of the past.
        settings: Of the desk.
    """
    market = MadeMarket(DEMO[coin], seed, until - round(days * DAY))
    desk = Desk(coin, settings, horizon=until)
    told = [event for history in market.history(days) for event in _told(history)]
    for event in sorted(told, key=lambda event: event.seen):
        desk.apply(event)
    return market, desk


def _told(history: MinuteHistory) -> list[Candles | Liquidation | Funding]:
    """Return a venue's past as events, its candles in blocks of an hour.

    Within a block nothing can be learned from what died, so blocks are no longer than that.
    """
    bars = history.candles
    hours = bars.times // HOUR
    starts = np.flatnonzero(np.concatenate(([True], hours[1:] > hours[:-1]))).tolist()
    blocks = [
        cut(bars, start, stop)
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True)
    ]
    return [*blocks, *history.liquidations, *history.funding]


def cut(bars: Candles, start: int, stop: int) -> Candles:
    """Return the candles `start` to `stop`."""
    part = slice(start, stop)
    columns = {
        name: getattr(bars, name)[part]
        for name in bars.__struct_fields__
        if isinstance(getattr(bars, name), np.ndarray)
    }
    end = int(columns["times"][-1]) + bars.span
    return msgspec.structs.replace(bars, at=end, seen=end, **columns)
