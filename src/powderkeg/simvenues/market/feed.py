"""Converts a simulated market into each venue's updates, in its own lots and ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.sim import Ladder, MinuteHistory, Moment, SimulatedMarket, SpotMarket, Truth
from powderkeg.sim.scenario.market import ScenarioMarket
from powderkeg.simvenues.market.book import LEVELS, Change, SimBook
from powderkeg.simvenues.market.past import Past, Payments
from powderkeg.simvenues.market.world import Spec, spec

STEP: Final = 100_000
"""Length of one step of a coin, µs."""
_KEPT: Final = 2_000
"""Prints kept per market."""
_BEHIND: Final = ((120 * SECOND, 60.0), (5 * SECOND, 1.0), (0, 0.1))
"""How long a step is, in seconds, when the market is so many µs behind the clock."""


class Fill(Struct, frozen=True):
    """One print. `id` counts fills, `first` and `last` the trades in it."""

    id: int
    first: int
    last: int
    at: int
    ticks: int
    lots: int
    buy: bool
    liquidated: int = 0
    """1 where a liquidated long was sold, -1 where a liquidated short was bought back."""
    bankruptcy: float = 0.0


class LiquidationFill(Struct, frozen=True):
    """One forced close."""

    at: int
    long: bool
    lots: int
    ticks: int
    """Price of the fill."""
    bankruptcy: float


class MarketUpdate(Struct, frozen=True):
    """The changes at one market in one step."""

    before: int
    at: int
    fills: list[Fill]
    liquidations: list[LiquidationFill]
    change: Change | None

    def due(self, every: int) -> bool:
        """Return whether a multiple of `every` µs lies in this step."""
        return self.before // every != self.at // every


class PublishedTotals(Struct):
    """Totals of what a market published."""

    trades: int = 0
    base: float = 0.0
    liquidations: int = 0
    last_trade: int = 0
    last_update: int = 0


class Market:
    """One coin at one venue."""

    def __init__(
        self,
        what: Spec,
        share: float,
        seed: int,
        history: MinuteHistory,
        payments: Payments,
        venue_index: int = 0,
    ) -> None:
        """Begin where `history` ends; `venue_index` is the venue's index in its world."""
        self.spec = what
        self.truth: Callable[[], Truth] | None = None
        """Returns every position of the coin, for venues where positions are public."""
        self.venue_index = venue_index
        """Index of this venue in the truth."""
        self.sim_book = SimBook(what, share, seed, venue_index)
        self.past = Past(history)
        self.payments = payments
        self.tape: deque[Fill] = deque(maxlen=_KEPT)
        self.forced: list[tuple[bool, int]] = []
        """Side and lots of liquidations requested by a fault."""
        self.parts = 1
        """Number of prints each is split into, for load."""
        self.sent = PublishedTotals()
        self.now = self.past.until
        self.mark = float(self.past.last[3])
        self.index = self.mark
        self.oi = float(self.past.last[6])
        self.rate = payments.rows[-1][1] if payments.rows else 0.0
        self._rest = [0.0, 0.0]
        self._day = (0, (0.0, 0.0, 0.0, 0.0))
        self._id = 100_000 + seed % 50_000
        self._trade = 7 * self._id

    @property
    def price(self) -> float:
        """Last price."""
        return float(self.past.last[3])

    @property
    def paid(self) -> float:
        """The eight-hour rate last paid."""
        return self.payments.rows[-1][1] if self.payments.rows else 0.0

    def advance(self, moment: Moment, venue_index: int, ladder: Ladder) -> MarketUpdate:
        """Take one step; `venue_index` is the venue's index in the moment's lists."""
        self.now = moment.at
        self.past.grow(moment.at - 1)
        self.mark = float(moment.marks[venue_index])
        self.index = moment.index
        self.oi = float(moment.oi[venue_index])
        self.rate = moment.rate
        fills = list(self._fills(moment, venue_index))
        fills += self._staged(moment.at)
        liquidations = [
            LiquidationFill(fill.at, fill.liquidated > 0, fill.lots, fill.ticks, fill.bankruptcy)
            for fill in fills
            if fill.liquidated
        ]
        self.past.last[6] = self.oi
        self._note(fills)
        return MarketUpdate(
            moment.since, moment.at, fills, liquidations, self.sim_book.update(ladder, moment.at)
        )

    def restated(self, n: int) -> MarketUpdate:
        """Return an update that repeats the `n`-th levels as they are, to pad the load."""
        return MarketUpdate(self.now, self.now, [], [], self.sim_book.repeat_levels(n))

    def day(self) -> tuple[float, float, float, float]:
        """Return volume in base and quote, high and low of the last day of minutes."""
        if self._day[0] == self.now // MINUTE:
            return self._day[1]
        bars = self.past.bars(self.now - DAY, self.now, HOUR, 25, newest=True)
        volume = sum(bar.volume for bar in bars)
        quote = sum(bar.volume * (bar.open + bar.close) / 2 for bar in bars)
        day = volume, quote, max(bar.high for bar in bars), min(bar.low for bar in bars)
        self._day = (self.now // MINUTE, day)
        return day

    def _fill(
        self,
        at: int,
        ticks: int,
        lots: int,
        buy: bool,
        liquidated: int = 0,
        bankruptcy: float = 0.0,
    ) -> Fill:
        self._id += 1
        first = self._trade + 1
        self._trade += 1 + (lots % 3 if lots > 2 else 0)
        return Fill(self._id, first, self._trade, at, ticks, lots, buy, liquidated, bankruptcy)

    def _fills(self, moment: Moment, venue_index: int) -> Iterator[Fill]:
        """Yield prints in whole lots; what is left over joins the next print of its side."""
        tape = moment.tapes[venue_index]
        columns = (tape.times, tape.prices, tape.sizes, moment.forced[venue_index])
        for at, price, size, cause in zip(*(c.tolist() for c in columns), strict=True):
            buy = size > 0
            whole = self.spec.lots(abs(size), price) + self._rest[buy]
            lots = int(whole + 1e-9)
            self._rest[buy] = max(0.0, whole - lots)
            if not lots:
                continue
            ticks = round(price / self.spec.tick)
            if cause < 0:
                parts = min(self.parts, lots)
                for k in range(parts):
                    yield self._fill(at, ticks, (lots + k) // parts, buy)
                continue
            broke = float(moment.liquidation_rows.bankruptcies[cause])
            yield self._fill(at, ticks, lots, buy, int(moment.liquidation_rows.sides[cause]), broke)

    def _staged(self, at: int) -> Iterator[Fill]:
        """Yield the forced prints a fault asked for, at the mark."""
        ticks = round(self.mark / self.spec.tick)
        for long, lots in self.forced:
            side = 1 if long else -1
            yield self._fill(at - 1, ticks, lots, not long, side, self.mark * (1 - 0.005 * side))
        self.forced.clear()

    def _note(self, fills: list[Fill]) -> None:
        self.tape.extend(fills)
        for fill in fills:
            price = fill.ticks * self.spec.tick
            self.past.trade(price, self.spec.base(fill.lots, price), fill.buy)


class Coin:
    """One coin at all venues, kept in step with the clock."""

    def __init__(
        self,
        name: str,
        simulation: SimulatedMarket | ScenarioMarket,
        histories: list[MinuteHistory],
        phase: int,
        seed: int,
    ) -> None:
        """Begin at the market's own time; steps end `phase` µs after a tenth of a second.

        Histories after those of the world's venues are of spot markets.
        """
        self.name = name
        self.simulation = simulation
        self.phase = phase
        payments = Payments(histories[0])
        world = simulation.world
        count, first = len(world.venues), seed * 977 + ord(name[0])
        self.markets = [
            Market(spec(venue, name), share, first + 101 * v, history, payments, v)
            for v, (venue, share, history) in enumerate(
                zip(world.venues, world.shares, histories[:count], strict=True)
            )
        ]
        """Its perpetuals, in the order of the world's venues."""
        for market in self.markets:
            market.truth = simulation.truth
        self.payments = payments
        ladder = simulation.ladder(LEVELS)
        for market in self.markets:
            market.sim_book.update(ladder, simulation.now)
        self.spots: list[tuple[Market, SpotMarket]] = []
        """Its spot markets, each with what it is a picture of."""
        for v, history in enumerate(histories[count:], count):
            self._add_spot(history, seed, first + 101 * v)

    def _add_spot(self, history: MinuteHistory, seed: int, number: int) -> None:
        """Add the spot market that a history is of."""
        venue = history.market.partition(":")[0]
        price = float(history.candles.close[-1])
        market = Market(spec(venue, self.name), 1.0, number, history, Payments(history))
        spot = SpotMarket(self.simulation.world, seed, price)
        market.sim_book.update(spot.ladder(LEVELS), self.simulation.now)
        self.spots.append((market, spot))

    def advance(self, now: int) -> Iterator[tuple[Market, MarketUpdate]]:
        """Yield each market's update, step by step, until the market is at `now`."""
        while (behind := now - self.phase - self.simulation.now) >= STEP:
            seconds = next(length for gap, length in _BEHIND if behind >= gap)
            moment = self.simulation.moment(seconds)
            hour = moment.at // HOUR
            if hour != moment.since // HOUR:
                self.payments.add(hour * HOUR, moment.rate if moment.paid is None else moment.paid)
            ladder = self.simulation.ladder(LEVELS)
            for v, market in enumerate(self.markets):
                yield market, market.advance(moment, v, ladder)
            for market, spot in self.spots:
                yield market, market.advance(spot.follow(moment), 0, spot.ladder(LEVELS))
