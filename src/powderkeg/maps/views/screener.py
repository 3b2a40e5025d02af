"""The screener row of one coin."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from powderkeg.events import DAY, HOUR, Floats, PositionSide
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter, PriceProfile, price_profile
from powderkeg.maps.heatmap.prices import CLOSE
from powderkeg.maps.views.answers import Sides
from powderkeg.maps.views.clusters import Cluster, above_ground, standing
from powderkeg.maps.views.queries import STEPS

STEEP = 0.01
"""How far from the mark steepness is measured: the next 1 %."""
CROWD = 0.05
"""How far from the mark longs and shorts are compared."""
CLOSES = 48
"""Half hours of the sparkline: a day."""


class Near(Struct, frozen=True):
    """The nearest cluster of one side."""

    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    distance: float
    """Signed fraction of the mark from it to its nearest edge."""
    usd: float
    """Dollars inside."""
    low: OptionalFloat
    """Low end of the 80 % band, dollars."""
    high: OptionalFloat
    """High end of the 80 % band, dollars."""


class ScreenerRow(Struct, frozen=True, kw_only=True):
    """One coin; null where nothing is known of it yet."""

    price: float | None = None
    """Last price, quote currency."""
    change: float | None = None
    """Change of price over 24 hours, a fraction; null where it is not known."""
    below: Near | None = None
    """The nearest cluster of longs; null where there is none."""
    above: Near | None = None
    """The nearest cluster of shorts; null where there is none."""
    steepness: Sides | None = None
    """Dollars that would be liquidated within the next 1 % of each side."""
    long_share: float | None = None
    """Fraction of longs of all that would be liquidated within 5 %; null where nothing would."""
    funding: float | None = None
    """8-hour funding rate, a fraction, weighted by open interest; null where none reports it."""
    oi: float | None = None
    """Dollars of open interest."""
    closes: list[float | None] = []
    """Closing price of the last 48 half hours; null where nothing traded."""


class Held(Struct, frozen=True):
    """Funding and open interest of one market."""

    rate: float
    """Funding of one interval, NaN where not known."""
    interval: int
    """µs between payments, 0 where not known."""
    oi: float
    """Open interest, base coin; NaN where not known."""


def screener_row(coin_view: CoinView, held: Iterable[Held] = ()) -> ScreenerRow:
    """Return the screener row of a coin: the calibrated map of all its venues now.

    Args:
        coin_view: The coin; at least one market has a mark.
        held: Funding and open interest of each of its markets.
    """
    mark = past.price_at(coin_view, 0)
    whole = price_profile(coin_view, MapFilter())
    near = _nearest(coin_view, standing(whole, mark)) if mark > 0 else {}
    steep, crowd = (_within(whole, mark, reach) for reach in (STEEP, CROWD))
    oi = sum(m.estimate.oi for m in coin_view.estimated() if m.estimate.oi > 0)
    return ScreenerRow(
        price=_known(coin_view.price),
        change=_change(coin_view),
        below=near.get("long"),
        above=near.get("short"),
        steepness=Sides(*steep),
        long_share=crowd[0] / sum(crowd) if sum(crowd) > 0 else None,
        funding=funding(held),
        oi=oi * mark if mark > 0 else 0.0,
        closes=_closes(coin_view),
    )


def funding(held: Iterable[Held]) -> float | None:
    """Return the 8-hour funding rate, markets weighted by open interest."""
    weighted = [(h.rate * 8 * HOUR / h.interval, h.oi) for h in held if h.interval and h.oi > 0]
    known = [(rate, oi) for rate, oi in weighted if not math.isnan(rate)]
    total = sum(oi for _, oi in known)
    return sum(rate * oi for rate, oi in known) / total if total else None


def _nearest(coin_view: CoinView, found: list[Cluster]) -> dict[PositionSide, Near]:
    """Return the nearest cluster of each side with its band."""
    first: dict[PositionSide, Near] = {}
    for c in sorted(above_ground(coin_view, MapFilter(), found), key=lambda c: abs(c.distance)):
        first.setdefault(c.side, Near(c.floor, c.top, c.distance, c.notional, c.low, c.high))
    return first


def _within(whole: PriceProfile, mark: float, reach: float) -> tuple[float, float]:
    """Return dollars of longs and of shorts within reach of the mark."""
    sides: Floats = whole.by_side()[:, np.abs(whole.prices() / mark - 1) <= reach]
    return float(sides[0].sum()), float(sides[1].sum())


def _change(coin_view: CoinView) -> float | None:
    before = past.price_at(coin_view, coin_view.now - DAY) if coin_view.now > DAY else math.nan
    return _known(coin_view.price / before - 1) if before > 0 else None


def _closes(coin_view: CoinView) -> list[float | None]:
    ring = coin_view.prices[max(STEPS)]
    bars = ring.window(coin_view.now // ring.step, CLOSES)
    return [_known(float(close)) for close in bars[:, CLOSE]]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
