"""Final check of stored events: converts dollars to coins, and drops implausible liquidations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from powderkeg.events import (
    DAY,
    Candles,
    Event,
    Liquidation,
    LiquidationBar,
    Mark,
    Trade,
    Trades,
)
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.units import Units
from powderkeg.history.sources import Series

_PRICED = {"trades", "candles", "mark", "liquidations", "wire"}
"""Kinds with a price."""
_FAR = 0.20
"""A liquidation this far from the last known price is rejected: a public "database" of them had
ADA at 27,849 USD."""
_STALE = DAY
_NOT_YET = -(2**62)


class Sanitizer:
    """Converts events to coins and rejects implausible liquidations."""

    def __init__(self, units: Units, mine: list[Series], report: ReadReport) -> None:
        self._units = units
        self._priced = any(series.kind in _PRICED or series.bars for series in mine)
        self._report = report
        self._price, self._at = 0.0, _NOT_YET

    def sanitize(self, event: Event) -> Iterator[Event]:
        """Return the event in coins, or nothing where it is implausible."""
        event = self._units.in_coins(event)
        match event:
            case Trades() | Candles():
                prices = event.prices if isinstance(event, Trades) else event.close
                self._price, self._at = float(prices[-1]), event.event_time
            case Trade() | Mark():
                self._price, self._at = event.price, event.event_time
            case LiquidationBar() if event.market in self._units.in_quote:
                if self._price:
                    event = msgspec.structs.replace(
                        event, long=event.long / self._price, short=event.short / self._price
                    )
                elif self._priced:
                    why = "no price is known yet to turn quote into base coin"
                    self._report.reject(event.market, 0, "liquidation bar without a price", why)
                    return
                else:
                    event = msgspec.structs.replace(event, quote=True)
            case Liquidation() if self._far(event):
                why = (
                    f"{event.price} where the market is at {self._price}, at {event.event_time} µs"
                )
                self._report.reject(event.market, 0, "liquidation far from the market", why)
                return
            case _:
                pass
        yield event

    def _far(self, event: Liquidation) -> bool:
        known = self._price > 0 and event.event_time - self._at <= _STALE
        return known and abs(event.price - self._price) > _FAR * self._price
