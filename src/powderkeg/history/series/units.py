"""Coins in one unit of each stored market; and the markets whose amounts are quote currency."""

from __future__ import annotations

from collections.abc import Iterable

from powderkeg.events import ClockTick, Event, LiquidationBar
from powderkeg.history.sources import Series
from powderkeg.instruments import in_coins, unit_of


class Units:
    """The units of the markets of some series, from the series or their symbols."""

    def __init__(self, all_series: Iterable[Series]) -> None:
        """Take the multipliers of the series; see `Series.multiplier`."""
        multipliers = [(s, s.multiplier) for s in all_series]
        self.in_quote = {s.id for s, _ in multipliers if _in_quote(s)}
        """Markets whose liquidation bars are quote currency, to be divided by a price."""
        self._of = {s.id: multiplier for s, multiplier in multipliers if multiplier is not None}

    def in_coins(self, event: Event) -> Event:
        """Return an event in units of the coin; an amount in quote currency is unchanged."""
        if isinstance(event, ClockTick):
            return event
        if isinstance(event, LiquidationBar) and event.market in self.in_quote:
            return event
        return in_coins(event, self.of(event.market))

    def of(self, market: str) -> float:
        """Return the coins in one unit of a market."""
        if market not in self._of:
            self._of[market] = unit_of(market.partition(":")[2])[1]
        return self._of[market]


def _in_quote(series: Series) -> bool:
    quote = series.unit.get("long", "base").startswith("quote")
    return series.kind == "liquidation_bars" and quote and "price" not in series.columns
