"""The whole core of one coin in one object: events in, state changed, requests out.

`apply` changes state in a fixed order and computes nothing itself. It reads no clock: time comes
from events. Same events, settings and version: same state, to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias, assert_never

import numpy as np
from msgspec.structs import replace

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.pooling import PooledStats
from powderkeg.engine.exposure.concentration import EntryConcentration
from powderkeg.events import (
    HOUR,
    MINUTE,
    BookDelta,
    BookSnapshot,
    Candle,
    Candles,
    ClockTick,
    Event,
    Funding,
    Gap,
    Link,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Positions,
    Quote,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.flow.coin import FRAME, CoinFlow
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.maps.heatmap.prices import PriceRing
from powderkeg.maps.heatmap.ring import Ring, column_boundaries
from powderkeg.maps.risk.learning import SweepLearner
from powderkeg.maps.views.queries import FLAT_STEP, STEPS
from powderkeg.market.book import Book, Resync
from powderkeg.market.carry import Carry
from powderkeg.market.counts import Counts
from powderkeg.market.quotes import QuoteCheck
from powderkeg.market.sightings import ObservedMarket, ObservedPositions
from powderkeg.market.tape import Tape
from powderkeg.settings import Settings
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.observe.observer import Observer
from powderkeg.venues import spec_of

Ask: TypeAlias = Resync
"""What the core may ask of the shell."""
MARKLESS = MINUTE
"""How long prints come without a mark before they stand in for it: live, the mark is a second
behind."""
AGGREGATE = "aggregate"
"""The venue name of sums over several venues."""


class Market:
    """One market of the coin: its public data, and the estimate."""

    __slots__ = (
        "assumed", "book", "carry", "entries", "estimate", "first_trade_at", "from_bars",
        "last_received", "link", "name", "price", "print_range", "quotes", "rings", "static_ring",
        "tape", "venue",
    )  # fmt: skip

    def __init__(self, name: str, columns: int) -> None:
        """Start the market `name`, such as ``binance:BTCUSDT``, empty."""
        self.name = name
        self.venue = name.partition(":")[0]
        self.assumed = 0
        """End of the last run of bars with an assumed volume, µs; 0 for none."""
        self.first_trade_at = 0
        """Time of the first print, µs; 0 before it."""
        self.print_range = (math.inf, 0.0)
        """Lowest and highest print since prints were last used as a mark."""
        self.from_bars = False
        """Whether its last volume came as bars: they close positions by their own time."""
        self.tape = Tape(name)
        self.book = Book(name)
        self.carry = Carry(name)
        self.estimate: Estimate | None = None
        self.entries = EntryConcentration()
        self.rings = {step: Ring(step, columns, per_row) for step, per_row in STEPS.items()}
        self.static_ring = Ring(FLAT_STEP, columns, STEPS[FLAT_STEP])
        """The static map, in one step only, for comparison."""
        self.price = math.nan
        self.last_received = 0
        self.link: Literal["up", "down", "stale", "refused"] = "up"
        self.quotes = QuoteCheck()

    def use_prints_as_mark(self, at: int) -> None:
        """Use prints as marks, as candles do, where no mark is published."""
        marked = self.from_bars or self.carry.mark_at or at - self.first_trade_at < MARKLESS
        if self.estimate is not None and not marked and self.print_range[1] > 0:
            self.estimate.move_mark(at, self.price, *self.print_range)
            self.print_range = (math.inf, 0.0)


class Desk:
    """Everything known about one coin."""

    __slots__ = (
        "backfill_until", "coin", "counts", "flow", "markets", "now", "observed", "observer",
        "peers", "prices", "settings", "signals", "sweeps",
    )  # fmt: skip

    def __init__(self, coin: str, settings: Settings | None = None, horizon: int = 0) -> None:
        """Start empty.

        Args:
            coin: Such as BTC.
            settings: How to behave.
            horizon: µs up to which the backfill will be drawn, candles in blocks until then.
        """
        self.coin = coin
        self.backfill_until = horizon
        self.settings = settings or Settings()
        self.now = 0
        self.markets: dict[str, Market] = {}
        self.peers: list[PooledStats] = []
        """Statistics of the markets of other coins."""
        self.observed: dict[str, ObservedPositions] = {}
        """Real positions observed, by market. They alone do not create a market."""
        self.prices = {step: PriceRing(step, self.settings.columns) for step in STEPS}
        self.counts = Counts()
        self.flow = CoinFlow()
        self.signals = CoinSignals()
        self.observer = Observer(self.settings.bar_signals)
        self.sweeps = SweepLearner()

    @property
    def leader(self) -> Market | None:
        """The market whose price the chart shows: the first by name that has leverage."""
        names = [name for name, market in self.markets.items() if _leveraged(market)]
        return self.markets[min(names)] if names else None

    @property
    def price(self) -> float:
        """Last price of the leading market, NaN before the first."""
        leader = self.leader
        return math.nan if leader is None else leader.price

    def estimated(self) -> Iterator[MarketView]:
        """Yield the markets whose estimate has a mark, by name."""
        for _, m in sorted(self.markets.items()):
            if m.estimate is not None and not math.isnan(m.estimate.mark):
                yield MarketView(
                    m.name, m.venue, m.estimate, m.rings, m.last_received, m.link, m.entries,
                    m.static_ring, m.assumed,
                )  # fmt: skip

    def books(self) -> Iterator[Book]:
        """Yield the book of every market, by name."""
        for _, market in sorted(self.markets.items()):
            yield market.book

    def observed_markets(self) -> Iterator[ObservedMarket]:
        """Yield the markets with observed positions, by name."""
        known = {m.name: m.estimate for m in self.estimated()}
        for name, seen in sorted(self.observed.items()):
            estimate = known.get(name)
            known_oi = math.nan if estimate is None else estimate.oi
            yield ObservedMarket(seen, known_oi, math.nan if estimate is None else estimate.mark)

    def market_stats(self) -> list[PooledStats]:
        """Return the statistics of this coin's markets that have a fit."""
        stats = (known.estimate.pooled_stats() for known in self.estimated())
        return [each for each in stats if each is not None]

    def apply(self, event: Event) -> list[Ask]:  # noqa: C901, PLR0912  one case an event
        """Apply one event and return the requests it leads to."""
        self.counts.events += 1
        if isinstance(event, ClockTick):
            self._advance_to(event.time)
            return []
        self._advance_to(event.received_time)
        if isinstance(event, Positions):
            self.observed.setdefault(event.market, ObservedPositions(event.market)).update(event)
            return []
        market = self._market(event.market)
        if not isinstance(event, Gap | Link):  # ours, not the market's
            market.last_received = max(market.last_received, event.received_time)
        match event:
            case Trade() | Trades():
                self._trade(market, event)
            case Candle() | Candles():
                self._candles(market, event if isinstance(event, Candles) else Candles.of([event]))
            case Mark() | Funding() | OpenInterest():
                self._carry(market, event)
            case Liquidation():
                self._add_liquidation(market, event)
            case LiquidationBar():
                self._add_liquidation_bar(market, event)
            case BookSnapshot() | BookDelta():
                return self._book(market, event)
            case Quote():
                market.quotes.quote(event)
            case Ratio():
                self.flow.market(market.name).add_reading(event)
            case Gap():
                self._gap(market, event)
            case Link():
                market.link = event.state
                lost = market.book.mark_lost("link down") if event.state == "down" else None
                return [lost] if lost else []
            case _:
                assert_never(event)
        return []

    def _book(self, market: Market, event: BookSnapshot | BookDelta) -> list[Ask]:
        wish = market.book.apply(event)
        checked = market.quotes.quoted and market.book.status == "live"
        if checked and isinstance(event, BookDelta) and (best := market.book.best()) is not None:
            market.quotes.book(event.last, best)
        return [wish] if wish else []

    def _market(self, name: str) -> Market:
        if name not in self.markets:
            self.markets[name] = Market(name, self.settings.columns)
        return self.markets[name]

    def _advance_to(self, at: int) -> None:
        if at > self.backfill_until and at // FRAME > self.now // FRAME:
            self._end_frame(at)
        self.now = max(at, self.now)

    def _end_frame(self, at: int) -> None:
        """Read the books, flush openings and redraw finished columns: none is due more often."""
        self.flow.advance(at, (market.book for market in self.markets.values()))
        self.observer.observe(self, self.signals, at)
        if at // HOUR > self.now // HOUR:
            stats = [*self.market_stats(), *self.peers]
            for known in self.estimated():
                known.estimate.peers = stats
        flush, draw = self.settings.flush, self.settings.draw
        ticked, drawn = (at // step > self.now // step for step in (flush, draw))
        if (ticked or drawn) and self.now:
            self._flush(at // flush * flush, at // draw * draw if drawn else None)
        if at // MINUTE > self.now // MINUTE and self.now:
            self.sweeps.advance(self, list(self.books()), at // MINUTE * MINUTE)

    def _flush(self, at: int, drawn: int | None) -> None:
        """Flush openings up to `at`, and draw the columns that end at `drawn`, if any do."""
        for _, market in sorted(self.markets.items()):
            market.use_prints_as_mark(at)
        for known in self.estimated():
            if not self.markets[known.name].from_bars:
                known.estimate.flush(at)
            if drawn is not None:
                self._draw(known, drawn)

    def _draw(self, known: MarketView, at: int) -> None:
        """Draw the map just before `at` into every ring whose column is due, or mark a gap."""
        exposure, weights = known.estimate.exposure, known.estimate.map_weights(at)
        unbounded = known.estimate.unbounded(at)
        live = self.settings.draw < min(known.rings)
        for ring in known.rings.values():
            if known.link == "down":
                ring.mark_gap(at, at)
            elif live or ring.due(at):
                ring.write(at - 1, exposure, weights, unbounded)
        if known.static_ring is not None and known.link != "down" and at % MINUTE == 0:
            static = known.estimate.baselines.static
            known.static_ring.write(at - 1, static, known.estimate.static_weights(at))

    def _estimate_of(self, market: Market, price: float) -> Estimate:
        """Return the market's estimate, created at its first price."""
        if market.estimate is None:
            market.estimate = Estimate(price, market.name)
        return market.estimate

    def _trade(self, market: Market, event: Trade | Trades) -> None:
        believed = market.tape.add(event)
        if believed is None:
            return
        run = believed if isinstance(believed, Trades) else believed.as_run()
        self.counts.trades += len(run.times)
        market.from_bars = False
        market.price = float(run.prices[-1])
        if not market.carry.mark_at:
            market.first_trade_at = market.first_trade_at or int(run.times[0])
            low, high = float(run.prices.min()), float(run.prices.max())
            market.print_range = min(market.print_range[0], low), max(market.print_range[1], high)
        self.flow.add_trades(market.name, run)
        if not _leveraged(market):
            return
        self._estimate_of(market, market.price).add_trades(run.prices, run.sizes)
        market.entries.add_trades(run.times, run.prices, run.sizes)
        if market is self.leader:
            self.observer.add_prices(float(run.prices.min()), float(run.prices.max()))
            for ring in self.prices.values():
                ring.add_run(run.times, run.prices, np.abs(run.sizes))

    def _candles(self, market: Market, bars: Candles) -> None:
        """Replay candles, and draw the columns that end among them."""
        self.flow.market(market.name).candles.add(bars)
        self.counts.bars += len(bars.times)
        self.counts.assumed += bars.assumed
        if bars.assumed:
            market.assumed = int(bars.times[-1]) + bars.span
        market.from_bars = True
        market.price = float(bars.close[-1])
        if not _leveraged(market):
            return
        is_first_backfill = market.estimate is None and not bars.liquidations_known  # by a venue
        estimate = self._estimate_of(market, float(bars.open[0]))
        ends = bars.times + bars.span
        until = max(int(ends[-1]), self.backfill_until)
        stops = column_boundaries(ends, market.rings, until, bars.span)
        if not stops or stops[-1] != len(ends):
            stops.append(len(ends))
        estimate.add_candles(
            bars, stops, lambda n: self._redraw(market, int(ends[n - 1]), until, bars.span)
        )
        market.entries.add_candles(bars)
        if market is self.leader:
            self.observer.add_prices(float(bars.low.min()), float(bars.high.max()), bars=True)
            if is_first_backfill:
                self.prices = {step: PriceRing(step, self.settings.columns) for step in STEPS}
            for ring in self.prices.values():
                ring.add_bars(bars)

    def catch_up(self, name: str, since: int) -> None:
        """Draw a market's map into the columns that ended while it waited for its backfill."""
        for step in STEPS if name in self.markets else ():
            for at in range(since // step * step + step, self.now + step, step):
                self._redraw(self.markets[name], min(at, self.now), self.now, step)

    def _redraw(self, market: Market, at: int, until: int, span: int) -> None:
        """Draw the rings no finer than `span` that hold `at` at `until`, as their columns end."""
        estimate = market.estimate
        if estimate is None or math.isnan(estimate.mark):
            return
        weights, unbounded = estimate.map_weights(at), estimate.unbounded(at)
        for step, ring in market.rings.items():
            over = at % step == 0 or at > until - span
            if step >= span and over and at > until - step * ring.size:
                ring.write(at - 1, estimate.exposure, weights, unbounded)
        flat, static = market.static_ring, estimate.baselines.static
        if at % FLAT_STEP == 0 and span <= FLAT_STEP and at > until - FLAT_STEP * flat.size:
            flat.write(at - 1, static, estimate.static_weights(at))

    def _carry(self, market: Market, event: Mark | Funding | OpenInterest) -> None:
        believed = market.carry.apply(event)
        if believed is not None:
            self.flow.market(market.name).add_reading(believed)
        if not _leveraged(market):
            return
        if isinstance(believed, Mark):
            if math.isnan(market.price):
                market.price = believed.price
            self._estimate_of(market, believed.price).move_mark(
                believed.received_time, believed.price
            )
        elif isinstance(believed, OpenInterest) and market.estimate is not None:
            market.estimate.flush(max(believed.received_time, self.now), believed.size)

    def _add_liquidation(self, market: Market, event: Liquidation) -> None:
        self.counts.liquidations += 1
        self.flow.add_liquidation(event)
        if market.estimate is not None:
            market.estimate.add_liquidation(event)

    def _add_liquidation_bar(self, market: Market, event: LiquidationBar) -> None:
        """Add a bar; a sum over several venues is split by open interest.

        A bar in quote currency is skipped: there was no price to convert it.
        """
        if event.quote:
            return
        if market.venue != AGGREGATE:
            if market.estimate is not None:
                market.estimate.add_liquidation_bar(event)
            return
        known = [m.estimate for m in self.estimated() if m.estimate.oi > 0]
        total = sum(estimate.oi for estimate in known)
        for estimate in known:
            share = estimate.oi / total
            part = replace(event, long=event.long * share, short=event.short * share)
            estimate.add_liquidation_bar(part)

    def _gap(self, market: Market, event: Gap) -> None:
        self.counts.gaps += 1
        for ring in market.rings.values():
            ring.mark_gap(event.since, event.event_time)


def _leveraged(market: Market) -> bool:
    """Return whether the market has a map: spot markets and sums over venues have none."""
    return market.venue != AGGREGATE and spec_of(market.venue).leveraged
