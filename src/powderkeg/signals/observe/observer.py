"""Scenes of a live or replayed coin: what its prints, books and maps show, second by second.

Everything that is cheap is read each second; positioning, levels and the map each minute.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Floats
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.books.whales import RestingWhales
from powderkeg.flow.books.window import NONE, WIDTH, BookWindow
from powderkeg.flow.coin import CoinFlow
from powderkeg.grid import position_of, price_of
from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.maps.heatmap.coin_view import MapFilter, PriceProfile
from powderkeg.maps.heatmap.past import price_at, price_profile_at
from powderkeg.maps.heatmap.prices import joined_bars
from powderkeg.maps.views.clusters import Cluster, standing
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.context.wick import RANGES, SPAN, Wicks
from powderkeg.signals.observe.seconds import MINUTES, SUMS, Seconds
from powderkeg.signals.observe.slow import SlowReadings, slow_readings
from powderkeg.signals.scene import Pair, Prints, RestingWhale, Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Stretch

VISIBLE: Final = 0.001
"""Fraction of price that a book must be visible for to say how much rests in one percent."""
SLOW: Final = 10
"""Minutes between two readings of what changes slowly."""
EVERY: Final = 5
"""Seconds between two readings of depth and of resting whales."""
RECALLED: Final = DAY
"""µs of past maps that the clusters of a coin are ranked among at first."""
RULES = DEFAULT.windows


class BookReadings(Struct, frozen=True):
    """What is read of the books every few seconds; see `Scene`."""

    depth: Pair = (math.nan, math.nan)
    whales: tuple[RestingWhale, ...] = ()


class Observer:
    """What is remembered of a coin between two scenes."""

    __slots__ = (
        "_bars", "_books", "_candle", "_ended", "_extremes", "_hours", "_markets", "_minute",
        "_past", "_printed", "_readings", "_recalled", "_reported", "_totals", "_usual",
        "_with_bars", "seconds", "whales", "wicks",
    )  # fmt: skip

    def __init__(self, with_bars: bool = False) -> None:
        """Start before the first scene; of candles there are scenes only `with_bars`."""
        self._with_bars = with_bars
        self._bars = False
        self.seconds = Seconds()
        self.whales = RestingWhales()
        self._extremes = math.inf, -math.inf
        self._totals: Floats = np.full(2, math.nan)
        self._reported = 0
        self._printed = 0
        self._ended = 0
        self._books = BookReadings()
        self._usual = math.nan, math.nan
        self._markets = 0, 0
        self._recalled = 0
        """Markets whose past maps clusters are ranked among."""
        self._hours: list[int] = []
        """Times of those maps that are still to be read, µs, oldest first."""
        self._past: list[float] = []
        """Notionals of the clusters of those that have been."""
        self.wicks = Wicks()
        self._candle = -1
        self._minute = -1
        self._readings = SlowReadings()

    def add_prices(self, low: float, high: float, *, bars: bool = False) -> None:
        """Note the lowest and highest price of a run of prints, or of candles."""
        self._bars = bars
        self._extremes = min(self._extremes[0], low), max(self._extremes[1], high)

    def observe(self, view: FlowView, signals: CoinSignals, now: int) -> None:
        """Show the signals the moment at which a second begins, before what arrives in it.

        Within a second nothing is done.

        Args:
            view: The coin.
            signals: Its signals.
            now: µs.
        """
        second = now // SECOND
        if second == self.seconds.second + 1 or (self._bars and not self._with_bars):
            return
        price = view.price
        if not price > 0:
            return
        now = second * SECOND
        low, high = min(self._extremes[0], price), max(self._extremes[1], price)
        self._extremes = math.inf, -math.inf
        self._end_second(view, second, (low, high))
        if now // MINUTE != self._minute:
            self._minute = now // MINUTE
            if self._minute % SLOW == 0 or not self._markets[1]:
                self._readings = slow_readings(view, now)
            self._markets = _quiet(view, now)
            self.seconds.set_past(_candle_volumes(view, self.seconds.minute))
            self._usual = self.seconds.usual_hour(), self.seconds.volatility()
        if second % EVERY == 0:
            self._books = BookReadings(
                depth_of(view.flow.window, _perps(view.flow)), self._whales(view.flow, now)
            )
        candle = now // SPAN != self._candle
        due = self._recall(view, signals, now) or signals.zones.due(now)
        found = stretches(view, price) if candle or due else []
        if due:
            signals.zones.refresh(found, now, price)
        scene = self._scene(view, signals, now, (low, high))
        if candle:
            self._candle = now // SPAN
            bars = joined_bars(view.prices, SPAN, now, RANGES + 1)
            for wick in self.wicks.next_candle(bars, found, now // SPAN * SPAN):
                signals.add_wick(wick, scene)
        signals.step(scene)

    def _recall(self, view: FlowView, signals: CoinSignals, now: int) -> bool:
        """Read the last day's maps, one a scene, and again once further markets have joined.

        Returns:
            Whether that was the last: from now on clusters are ranked among theirs.
        """
        if self._markets[1] > self._recalled:
            self._recalled, self._past = self._markets[1], []
            last = now // HOUR * HOUR
            self._hours = list(range(last - RECALLED + HOUR, last + HOUR, HOUR))
        if not self._hours:
            return False
        at = self._hours.pop(0)
        price = price_at(view, at)
        self._past += signals.zones.near(stretches(view, price, at), price)
        if not self._hours:
            signals.zones.recall(self._past)
        return not self._hours

    def _end_second(self, view: FlowView, second: int, extremes: Pair) -> None:
        """Add what happened to the second of the last event; after it there was nothing."""
        last = second - 1
        if self.seconds.second >= 0:
            last = min(max(view.now // SECOND, self.seconds.second + 1), last)
        self.seconds.add(last, self._sums(view.flow, last), view.price, extremes)
        if last < second - 1:
            self.seconds.add(second - 1, np.zeros(SUMS), view.price, (view.price, view.price))

    def _scene(self, view: FlowView, signals: CoinSignals, now: int, extremes: Pair) -> Scene:
        seconds, slow, flow = self.seconds, self._readings, view.flow
        sums, minute = seconds.sums(RULES.flow), seconds.sums(RULES.liquidated)
        traded = float(seconds.sums(RULES.volume)[:2].sum()) * 3_600 / RULES.volume
        usual, sigma = self._usual
        return Scene(
            coin=view.coin, now=now, price=view.price, low=extremes[0], high=extremes[1],
            then=seconds.price_before(RULES.flow),
            volume=traded / usual if usual > 0 else math.nan,
            bought=float(sums[0]), sold=float(sums[1]), taken=_pair(sums[2:4]),
            refilled=_pair(sums[4:6]), depth=self._books.depth,
            liquidated=_pair(minute[6:8]), minutes=seconds.closes(6), sigma=sigma,
            held=seconds.extremes(DEFAULT.sweep.hold + 1), crowd=slow.crowd, spot=slow.spot,
            oi_change=slow.oi_change,
            prints=Prints(self._largest(flow), slow.large, slow.top_share),
            whales=self._books.whales, pulled=slow.pulled, premium=slow.premium,
            levels=slow.levels, hour_range=slow.hour_range, stale=self._markets[0],
            markets=self._markets[1], zones=signals.followed(),
        )  # fmt: skip

    def _sums(self, flow: CoinFlow, second: int) -> Floats:
        """Return what happened since the scene before, in the second given, shape (8,)."""
        out = np.zeros(SUMS)
        perps = [market for market in flow.markets.values() if market.kind == "perp"]
        totals = np.array(
            [sum(m.cvd.bought for m in perps), sum(m.cvd.sold for m in perps)], np.float64
        )
        if not math.isnan(self._totals[0]):
            out[:2] = np.maximum(totals - self._totals, 0.0)  # a backfill may begin anew
        self._totals = totals
        taken, back = flow.absorption.of_second(_perps(flow), second)
        out[2:4], out[4:6] = taken, back
        fresh = min(flow.reported - self._reported, len(flow.liquidated))
        self._reported = flow.reported
        for each in list(flow.liquidated)[len(flow.liquidated) - fresh :] if fresh else ():
            if each.time > second * SECOND - MINUTE:  # a backfill brings the liquidations of hours
                out[6 if each.side == "long" else 7] += each.price * each.size
        self.wicks.add_liquidated(float(out[6]), float(out[7]))
        return out

    def _largest(self, flow: CoinFlow) -> float:
        """Return the largest merged print since the scene before, quote currency."""
        fresh = flow.prints.total - self._printed
        self._printed = flow.prints.total
        return flow.prints.largest(fresh) if fresh else 0.0

    def _whales(self, flow: CoinFlow, now: int) -> tuple[RestingWhale, ...]:
        """Return resting whales, and those among the walls that ended since the scene before."""
        known = self.whales.frame(flow.walls.standing(), flow.window.steps, now)
        gone = [wall for at, wall in flow.ended if at > self._ended]
        self._ended = flow.now
        threshold = self.whales.threshold
        ended = (
            () if threshold is None
            else (w for w in gone if _notional(w, flow.window) >= threshold)
        )  # fmt: skip
        walls = (*(whale.wall for whale in known), *ended)
        return tuple(_whale(wall, flow) for wall in walls)


def _quiet(view: FlowView, now: int) -> tuple[int, int]:
    """Return markets without an event for too long, and all; where all are, time stood still."""
    ages = [now - market.last_received for market in view.estimated()]
    late = sum(age > DEFAULT.simple.stale for age in ages)
    return (late if late < len(ages) else 0), len(ages)


def _candle_volumes(view: FlowView, minute: int) -> Floats:
    """Return what candles of perpetuals say of each minute up to one; NaN where none does."""
    perps = [m.candles.until(minute) for m in view.flow.markets.values() if m.kind == "perp"]
    known = np.stack([*perps, np.full(MINUTES, np.nan)])
    return np.where(np.isnan(known).all(axis=0), np.nan, np.nansum(known, axis=0))


def _notional(wall: Wall, window: BookWindow) -> float:
    return wall.peak * wall.step * float(window.steps[wall.book])


def _whale(wall: Wall, flow: CoinFlow) -> RestingWhale:
    price = wall.step * float(flow.window.steps[wall.book])
    return RestingWhale(
        id=f"{flow.books[wall.book]}:{wall.side}:{wall.step}:{wall.since}",
        side=wall.side,
        price=price,
        notional=wall.peak * price,
        since=wall.since,
        traded=min(1.0, wall.traded / wall.peak),
        refill=wall.refill,
        end=wall.end,
    )


def _perps(flow: CoinFlow) -> list[int]:
    """Return the numbers of the books of perpetuals."""
    return [n for n, name in enumerate(flow.books) if flow.market(name).kind == "perp"]


def _pair(values: Floats) -> Pair:
    return float(values[0]), float(values[1])


def depth_of(window: BookWindow, books: list[int]) -> Pair:
    """Return what rests within one percent of the mid, bids and asks, quote currency.

    What is visible of each book is taken to go on as it is: most end before one percent. Books that
    are visible for less than a tenth of a percent count only where there is no other.

    Args:
        window: All books.
        books: Numbers of those that count.
    """
    known = [n for n in books if window.centred[n] and (window.best[n] != NONE).all()]
    if not known:
        return math.nan, math.nan
    best, deepest, base = window.best[known], window.deepest[known], window.base[known]
    steps = window.steps[known]
    first = np.maximum(deepest[:, 0], base)
    last = np.minimum(deepest[:, 1], base + WIDTH - 1)
    counts = np.stack((best[:, 0] - first + 1, last - best[:, 1] + 1), axis=1)
    mids = best.mean(axis=1) * steps
    reach = np.maximum(counts, 1) * (steps / mids)[:, None]
    resting = window.size[known].sum(axis=2) * mids[:, None]
    wide = reach >= VISIBLE
    out = [
        float(
            (0.01 * resting[:, side] / reach[:, side])[wide[:, side] | ~wide[:, side].any()].sum()
        )
        for side in range(2)
    ]
    return out[0], out[1]


def stretches(view: FlowView, price: float, at: int = 0) -> list[Stretch]:
    """Return the clusters of the map at a time, µs, 0 for now, with their dollars by price."""
    profile = price_profile_at(view, MapFilter(), at)
    if not profile.dollars.shape[2] or not price > 0:
        return []
    sides = profile.by_side()
    return [_stretch(each, profile, sides) for each in standing(profile, price)]


def _stretch(cluster: Cluster, profile: PriceProfile, sides: Floats) -> Stretch:
    side = 0 if cluster.side == "long" else 1
    start, stop = (
        round(position_of(price)) - profile.base for price in (cluster.floor, cluster.top)
    )
    dollars = sides[side, start:stop]
    return Stretch(
        cluster.side, price_of(profile.base + start), price_of(profile.base + stop),
        float(dollars.sum()), tuple(dollars.tolist()),
    )  # fmt: skip
