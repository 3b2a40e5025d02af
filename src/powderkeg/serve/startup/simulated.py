"""History of a simulated market, applied to a desk at once: without a server, and for tests."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, Candles, Funding, Liquidation
from powderkeg.feed.drive import drive
from powderkeg.settings import Settings
from powderkeg.sim import DEMO, MinuteHistory, SimulatedMarket


def prepare(
    coin: str, seed: int, until: int, days: float, settings: Settings
) -> tuple[SimulatedMarket, Desk]:
    """Return a coin's simulated market and a desk to which its history was applied.

    Args:
        coin: One of the demo worlds.
        seed: Seed of the market.
        until: End of the history, µs, a whole minute.
        days: Length of the history.
        settings: Settings of the desk.
    """
    market = SimulatedMarket(DEMO[coin], seed, until - round(days * DAY))
    desk = Desk(coin, settings, horizon=until)
    events = [event for history in market.history(days) for event in events_of(history)]
    events.sort(key=lambda event: event.received_time)
    drive(desk, events)
    return market, desk


def events_of(history: MinuteHistory, since: int = 0) -> list[Candles | Liquidation | Funding]:
    """Return a venue's history as events, its candles in blocks of an hour.

    Nothing is learned from liquidations within a block, so blocks are no longer than that. Candles
    before `since`, µs, are one block without liquidations.
    """
    bars = history.candles
    hours = bars.times // HOUR
    fresh = np.concatenate(([True], hours[1:] > hours[:-1])) & (bars.times >= since)
    starts = np.flatnonzero(fresh).tolist()
    blocks = [
        bars.where(slice(start, stop))
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True)
    ]
    if starts and starts[0]:
        blocks.insert(0, replace(bars.where(slice(0, starts[0])), liquidations_known=False))
    edge = int(bars.times[starts[0]]) if starts else 0
    reported = [each for each in history.liquidations if each.event_time >= edge]
    return [*blocks, *reported, *history.funding]
