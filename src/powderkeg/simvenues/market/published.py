"""Values that several venues publish, each in its own format."""

from __future__ import annotations

from powderkeg.events import HOUR
from powderkeg.simvenues.market.feed import Market
from powderkeg.simvenues.market.past import Bar
from powderkeg.simvenues.market.world import Spec


def long_share(market: Market) -> float:
    """Return the long share of accounts a venue publishes: higher with higher funding."""
    return min(0.9, max(0.1, 0.52 + 200 * market.rate))


def next_funding(now: int, hours: int) -> int:
    """Return the time of the next payment after `now` µs, ms, where one is due each `hours`."""
    every = hours * HOUR
    return (now // every + 1) * every // 1000


def prices_of(what: Spec, bar: Bar) -> list[str]:
    """Return open, high, low and close as the venue writes prices."""
    return [what.price(round(x / what.tick)) for x in (bar.open, bar.high, bar.low, bar.close)]
