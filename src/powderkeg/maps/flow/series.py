"""The panes under the chart, minute by minute: delta and CVD, open interest, funding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import HOUR, MINUTE, Floats
from powderkeg.flow.coin import MarketFlow, MarketKind
from powderkeg.flow.crowding import Regime, crowding_index, mean_of, percentile, regime
from powderkeg.flow.readings import DAY_OF_MINUTES
from powderkeg.flow.tape.delta import divergence, trade_imbalance
from powderkeg.maps.field_types import Float32Array, Float64Array, OptionalFloat
from powderkeg.maps.flow.flow_view import FlowView, chosen
from powderkeg.maps.flow.queries import MINUTES, SeriesQuery
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW

KINDS: Final[tuple[MarketKind, ...]] = ("perp", "spot")
IMBALANCE_OVER: Final = 5
"""Minutes over which the trade imbalance is taken."""
REGIME_OVER: Final = 60
"""Minutes over which open interest and price are compared."""
WEEK: Final = 7 * 24
_SHARES: Final = ("accounts", "top_accounts", "top_positions")


class DeltaSeries(Struct, frozen=True):
    """Volume bought by takers less volume sold, of one kind of market."""

    kind: MarketKind
    """Perpetuals or spot."""
    markets: list[str]
    """Venue and symbol of those that are summed."""
    delta: Float32Array
    """Quote currency by minute."""
    cvd: Float64Array
    """Its running sum from the first minute shown, quote currency."""
    since: int | None
    """Time of the first print, µs UTC: before it nothing is known; null before any."""


class MarketSeries(Struct, frozen=True):
    """CVD of one market."""

    market: str
    """Venue and symbol."""
    kind: MarketKind
    """Perpetual or spot."""
    cvd: Float64Array
    """Quote currency by minute, from the first minute shown."""


class Crowd(Struct, frozen=True, kw_only=True):
    """How positioning stands against its last 90 days."""

    funding: OptionalFloat
    """Fraction of notional in 8 hours, weighted by open interest; null where not known."""
    funding_percentile: OptionalFloat
    """Its percentile, 0 to 100; null where not known."""
    basis: OptionalFloat
    """Mark over index less 1, a fraction, weighted by open interest; null where not known."""
    basis_percentile: OptionalFloat
    """Its percentile, 0 to 100; null where not known."""
    shares: dict[str, float]
    """Long shares as published, fractions: of accounts, of top accounts, of their positions."""
    index: float | None
    """Mean percentile of what is known, 0 to 100; null with fewer than three inputs."""
    inputs: dict[str, float]
    """Percentile of each input that is known."""
    hours: int
    """Number of hours with a funding rate, of the last 90 days."""
    funding_at: int | None
    """Time of the newest funding rate, µs UTC; null before any."""


class FlowSeries(Struct, frozen=True, kw_only=True):
    """Order flow by minute, and in figures."""

    t0: int
    """Start of the first minute, µs UTC."""
    step: int
    """Length of a column, µs."""
    cols: int
    """Number of columns."""
    delta: list[DeltaSeries]
    """Perpetuals and spot apart; kinds without a market are left out."""
    by_market: list[MarketSeries]
    """CVD of each market."""
    oi: Float64Array
    """Open interest at the end of each minute, base coin; null before the first reading."""
    funding: Float64Array
    """Funding as a fraction of notional in 8 hours, weighted by open interest; null if unknown."""
    basis: Float64Array
    """Mark over index less 1, a fraction; null where not known."""
    oi_change: OptionalFloat
    """Change of open interest in base coin over the last hour, a fraction; null if unknown."""
    regime: Regime | None
    """What open interest, in coins, and price did together over the last hour; null if unknown."""
    imbalance: OptionalFloat
    """Bought less sold as a fraction of both, last five minutes, -1 to 1; null: nothing traded."""
    divergence_high: bool
    """Whether price made a new 20-minute high that CVD of perpetuals did not."""
    divergence_low: bool
    """Whether price made a new 20-minute low that CVD of perpetuals did not."""
    crowd: Crowd
    """Funding, basis and long shares against their past."""


def series_of(flow_view: FlowView, query: SeriesQuery) -> FlowSeries:
    """Return order flow minute by minute; the last minute is the current one."""
    cols = MINUTES[query.span]
    until = max(flow_view.now - 1, 0) // MINUTE
    t0 = (until - cols + 1) * MINUTE
    markets = chosen(flow_view, query.venues)
    perps = [market for market in markets if market.kind == "perp"]
    oi = _open_interest(perps, flow_view.now)
    funding, basis = (_weighted(perps, name, flow_view.now) for name in ("funding", "basis"))
    diverging = _divergence(flow_view, perps)
    deltas = {market.name: _by_minute(market, t0, cols) for market in markets}
    return FlowSeries(
        t0=t0,
        step=MINUTE,
        cols=cols,
        delta=[
            _summed(kind, [m for m in markets if m.kind == kind], deltas)
            for kind in KINDS
            if any(m.kind == kind and m.cvd.count for m in markets)
        ],
        by_market=[
            MarketSeries(market.name, market.kind, np.cumsum(deltas[market.name]))
            for market in markets
            if market.cvd.count
        ],
        oi=oi[-cols:],
        funding=funding[-cols:],
        basis=basis[-cols:],
        oi_change=_change(oi, REGIME_OVER),
        regime=_regime(flow_view, oi),
        imbalance=_imbalance(perps, until),
        divergence_high=diverging[0],
        divergence_low=diverging[1],
        crowd=crowd_of(flow_view, perps),
    )


def _by_minute(market: MarketFlow, t0: int, cols: int) -> Floats:
    """Return the delta of each minute, quote currency, shape (cols,)."""
    bars = market.cvd.bars(t0)
    columns = (bars.times - t0) // MINUTE
    inside = columns < cols
    return np.bincount(columns[inside], bars.quote[inside], cols).astype(np.float64)


def _summed(
    kind: MarketKind, markets: Sequence[MarketFlow], deltas: dict[str, Floats]
) -> DeltaSeries:
    known = [market for market in markets if market.cvd.count]
    delta = np.sum([deltas[market.name] for market in known], axis=0)
    return DeltaSeries(
        kind,
        [market.name for market in known],
        delta.astype(np.float32),
        np.cumsum(delta),
        min((market.cvd.anchor for market in known), default=None),
    )


def _open_interest(perps: Sequence[MarketFlow], now: int) -> Floats:
    """Return open interest by minute over a day, base coin; NaN until every market has one."""
    each = [m.readings.by_minute("oi", now, DAY_OF_MINUTES) for m in perps if _has_oi(m)]
    return np.sum(each, axis=0) if each else np.full(DAY_OF_MINUTES, math.nan)


def _has_oi(market: MarketFlow) -> bool:
    return "oi" in market.readings.latest


def _weighted(perps: Sequence[MarketFlow], field: str, now: int) -> Floats:
    """Return a field by minute over a day, weighted by open interest now."""
    rows = np.array([m.readings.by_minute(field, now, DAY_OF_MINUTES) for m in perps])
    return mean_of(rows.reshape(-1, DAY_OF_MINUTES), weights_of(perps))


def weights_of(perps: Sequence[MarketFlow]) -> Floats:
    """Return each market's open interest, base coin; all alike where none is known."""
    known = np.array([m.readings.latest.get("oi", (0, 0.0))[1] for m in perps])
    return known if known.sum() > 0 else np.ones(len(perps))


def _change(values: Floats, minutes: int) -> float:
    before, now = float(values[-1 - minutes]), float(values[-1])
    return now / before - 1 if before > 0 else math.nan


def _candles(flow_view: FlowView, count: int) -> NDArray[np.float64]:
    until = max(flow_view.now - 1, 0) // MINUTE
    return flow_view.prices[MINUTE].window(until, count).astype(np.float64)


def _regime(flow_view: FlowView, oi: Floats) -> Regime | None:
    """Return what open interest and price did over the last hour, None where one is unknown."""
    closes = _candles(flow_view, DAY_OF_MINUTES)[:, CLOSE]
    moves = closes[REGIME_OVER:] / closes[:-REGIME_OVER] - 1
    change, known = _change(oi, REGIME_OVER), moves[~np.isnan(moves)]
    if math.isnan(change) or len(known) < 2 or math.isnan(moves[-1]):
        return None
    return regime(change, float(moves[-1]), float(known.std()))


def _imbalance(perps: Sequence[MarketFlow], until: int) -> float:
    since = (until - IMBALANCE_OVER + 1) * MINUTE
    bars = [market.cvd.bars(since) for market in perps]
    delta = sum(float(each.delta.sum()) for each in bars)
    volume = sum(float(each.volume.sum()) for each in bars)
    return trade_imbalance((volume + delta) / 2, (volume - delta) / 2)


def _divergence(flow_view: FlowView, perps: Sequence[MarketFlow]) -> tuple[bool, bool]:
    """Return whether a new high, and a new low, of price was not one of CVD."""
    count = 21
    candles = _candles(flow_view, count)
    if np.isnan(candles[:, CLOSE]).any():
        return False, False
    t0 = (max(flow_view.now - 1, 0) // MINUTE - count + 1) * MINUTE
    cvd = np.cumsum(np.sum([_by_minute(m, t0, count) for m in perps], axis=0) + np.zeros(count))
    high, low = candles[:, HIGH], candles[:, LOW]
    found = divergence(high, low, cvd, float((high - low).mean()))
    return found.high, found.low


def crowd_of(flow_view: FlowView, perps: Sequence[MarketFlow]) -> Crowd:
    """Return how crowded perpetuals are against their last 90 days."""
    now, weights = flow_view.now, weights_of(perps)
    past = {
        name: mean_of(np.array([m.readings.by_hour(name, now) for m in perps]), weights)
        if perps
        else np.full(1, math.nan)
        for name in ("funding", "basis", *_SHARES)
    }
    latest = {name: _latest(values) for name, values in past.items()}
    ranks = {name: percentile(latest[name], values) for name, values in past.items()}
    oi = sum((m.readings.by_hour("oi", now) for m in perps if _has_oi(m)), np.zeros(1))
    ranks["oi_week"] = _rank_of_week(oi)
    index = crowding_index(ranks)
    at = [m.readings.latest["funding"][0] for m in perps if "funding" in m.readings.latest]
    return Crowd(
        funding=latest["funding"],
        funding_percentile=ranks["funding"],
        basis=latest["basis"],
        basis_percentile=ranks["basis"],
        shares={name: latest[name] for name in _SHARES if not math.isnan(latest[name])},
        index=index.value,
        inputs=index.inputs,
        hours=int((~np.isnan(past["funding"])).sum()),
        funding_at=max(at, default=None),
    )


def _latest(values: Floats) -> float:
    """Return the last known value of at most eight hours ago: funding is paid that seldom."""
    recent = values[-(8 * HOUR // HOUR) - 1 :]
    known = recent[~np.isnan(recent)]
    return float(known[-1]) if len(known) else math.nan


def _rank_of_week(oi: Floats) -> float:
    """Return the percentile of the change of open interest over a week; NaN where unknown."""
    if len(oi) <= WEEK:
        return math.nan
    changes = oi[WEEK:] / oi[:-WEEK] - 1
    return percentile(float(changes[-1]), changes)
