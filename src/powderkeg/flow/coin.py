"""The order flow of one coin: its prints, books and readings of all venues together.

Prints are counted as they come. Books are read every 100 ms of event time, all in one pass; a book
that is not live is left as it was and its reads age. Spot markets count beside perpetuals and are
kept apart from them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from powderkeg.events import (
    HOUR,
    SECOND,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.flow.books.absorption import AbsorptionReads, Pressure
from powderkeg.flow.books.stacking import Stacking
from powderkeg.flow.books.walls import Wall, Walls
from powderkeg.flow.books.window import WIDTH, BookWindow
from powderkeg.flow.books.zones import LiquidityZones
from powderkeg.flow.crowding import basis, per_eight_hours
from powderkeg.flow.readings import FIELDS, Readings
from powderkeg.flow.tape.delta import CumulativeDelta
from powderkeg.flow.tape.minutes import CandleVolumes
from powderkeg.flow.tape.print_ring import COLUMNS, PrintRing
from powderkeg.flow.tape.prints import MergedPrints, PrintMerger, SizeScale, joined
from powderkeg.flow.tape.traded import Traded, step_for
from powderkeg.market.book import Book
from powderkeg.venues import spec_of

FRAME: Final = SECOND // 10
"""µs between two reads of the books."""
BOOKS: Final = 16
"""Books of a coin that are read; those that come later are not."""
PRINTS: Final = 4_000
"""Merged prints that are remembered."""
ENDED: Final = 200
"""Walls that ended, remembered."""
TRADED: Final = 4 * HOUR
"""µs of volume by price that are remembered, by market."""
MarketKind: TypeAlias = Literal["perp", "spot"]


class Liquidated(Struct, frozen=True):
    """A reported liquidation, as the tape shows it."""

    market: str
    time: int
    """µs."""
    side: Literal["long", "short"]
    """The position that was closed."""
    price: float
    size: float
    """Base coin."""


class MarketFlow:
    """The prints and readings of one market."""

    __slots__ = ("candles", "cvd", "done", "kind", "merger", "name", "readings", "traded")

    def __init__(self, name: str) -> None:
        """Start empty; the height of its rows is chosen by its first print."""
        self.name = name
        self.kind: MarketKind = "perp" if spec_of(name.partition(":")[0]).leveraged else "spot"
        self.cvd = CumulativeDelta()
        self.merger = PrintMerger(name)
        self.done: MergedPrints | None = None
        """Merged prints complete since the last frame."""
        self.readings = Readings()
        self.candles = CandleVolumes()
        self.traded: Traded | None = None

    def add_trades(self, run: Trades) -> None:
        """Add prints."""
        if self.traded is None:
            self.traded = Traded(step_for(float(run.prices[0])), TRADED)
        self.cvd.add(run)
        self.traded.add(run)
        self._complete(self.merger.add(run))

    def take(self, now: int) -> MergedPrints | None:
        """Return the merged prints that are complete by `now`, µs, and were not returned yet."""
        if (last := self.merger.flush(now)) is not None:
            self._complete(last)
        done, self.done = self.done, None
        return done

    def _complete(self, prints: MergedPrints) -> None:
        if len(prints.end):
            self.done = prints if self.done is None else joined((self.done, prints))

    def add_reading(self, event: Mark | Funding | OpenInterest | Ratio) -> None:
        """Add an accepted reading."""
        match event:
            case Mark():
                if event.index:
                    self.readings.add("basis", event.event_time, basis(event.price, event.index))
            case Funding():
                if event.interval > 0:
                    rate = per_eight_hours(event.rate, event.interval)
                    self.readings.add("funding", event.event_time, rate)
            case OpenInterest():
                self.readings.add("oi", event.event_time, event.size)
            case Ratio():
                if event.kind in FIELDS:
                    self.readings.add(event.kind, event.event_time, event.long)


class CoinFlow:
    """Order flow of one coin."""

    __slots__ = (
        "_at", "_names", "_shown", "absorption", "ended", "liquidated", "markets", "now",
        "pressures", "prints", "reported", "scale", "stacking", "walls", "window", "zones",
    )  # fmt: skip

    def __init__(self) -> None:
        """Start empty."""
        self.markets: dict[str, MarketFlow] = {}
        self.prints = PrintRing(PRINTS)
        self.liquidated: deque[Liquidated] = deque(maxlen=PRINTS)
        """Reported liquidations, newest last."""
        self.reported = 0
        """Liquidations ever added."""
        self.scale = SizeScale()
        self.window = BookWindow([1.0] * BOOKS)
        self.walls = Walls(BOOKS)
        self.absorption = AbsorptionReads(BOOKS)
        self.stacking = Stacking(BOOKS)
        self.zones: list[LiquidityZones] = []
        """Resting size of each book by minute and row; all have rows of one height."""
        self.ended: deque[tuple[int, Wall]] = deque(maxlen=ENDED)
        """Walls and when they ended, µs, newest last."""
        self.pressures: deque[Pressure] = deque(maxlen=ENDED)
        """Reads of sides under pressure, newest last."""
        self.now = 0
        """Time of the last read of the books, µs."""
        self._names: list[str] = []
        """Market of each book."""
        self._shown: list[int] = []
        """Time of the last change of each book that was read, µs."""
        self._at = 0

    @property
    def books(self) -> tuple[str, ...]:
        """Market of each book of the window, by its number."""
        return tuple(self._names)

    def market(self, name: str) -> MarketFlow:
        """Return what is known of a market, begun when first asked for."""
        if name not in self.markets:
            self.markets[name] = MarketFlow(name)
        return self.markets[name]

    def add_trades(self, market: str, event: Trade | Trades) -> None:
        """Add the accepted prints of a market."""
        run = event.as_run() if isinstance(event, Trade) else event
        self.market(market).add_trades(run)
        if market in self._names:
            book = self._names.index(market)
            self.window.add_trades(book, run.prices, run.sizes, run.times)

    def add_liquidation(self, event: Liquidation) -> None:
        """Add a reported liquidation."""
        self.reported += 1
        self.liquidated.append(
            Liquidated(event.market, event.event_time, event.position_side, event.price, event.size)
        )

    def adopt(self, apart: CoinFlow) -> None:
        """Take over the markets of another coin's flow, with their prints and liquidations."""
        self.markets |= apart.markets
        rows = apart.prints.rows()
        for number, name in enumerate(apart.prints.markets):
            own = rows[rows["market"] == number]
            self._add_prints(MergedPrints(name, *(own[field] for field in COLUMNS)))
        self.liquidated.extend(apart.liquidated)
        self.reported += apart.reported

    def _add_prints(self, done: MergedPrints) -> None:
        self.scale.add(done.end, done.notional)
        self.prints.add(done)

    def advance(self, now: int, books: Iterable[Book]) -> None:
        """Read the books if a frame has ended; call it before what arrives at `now` is added.

        Args:
            now: µs.
            books: Of all markets.
        """
        if now // FRAME == self._at:
            return
        self._at = now // FRAME
        for name in sorted(self.markets):
            if (done := self.markets[name].take(self._at * FRAME)) is not None:
                self._add_prints(done)
        if not self._load(books):
            return  # prints wait for the book that contains them
        self.now = self._at * FRAME
        self.stacking.frame(self.window, self.now)
        self.ended.extend((self.now, wall) for wall in self.walls.frame(self.window, self.now))
        self.pressures.extend(self.absorption.frame(self.window, self.now))
        self.window.end_frame()

    def _load(self, books: Iterable[Book]) -> bool:
        """Copy the live books that have changed into the window; return whether there were any."""
        changed, now = False, self._at * FRAME
        for book in books:
            if book.status != "live" or not math.isfinite(book.mid) or book.mid <= 0:
                if book.market in self._names:
                    self.zones[self._names.index(book.market)].mark_gap(now)
                continue
            number = self._number(book.market, book.mid)
            if number is not None and self._shown[number] != book.at:
                self._shown[number] = book.at
                self._copy(number, book)
                changed = True
            elif number is not None:
                self.zones[number].follow(now)
        return changed

    def _copy(self, number: int, book: Book) -> None:
        """Copy a book as far as the window can hold it, wherever its centre is."""
        reach = WIDTH * float(self.window.steps[number])
        bids = book.depth("buy", book.mid - reach, book.mid)
        asks = book.depth("sell", book.mid, book.mid + reach)
        if moved := self.window.load(number, bids, asks, book.at):
            self.absorption.roll(number, moved)
            self.stacking.roll(number, moved)
        self.zones[number].load(min(book.at, self._at * FRAME), bids, asks)

    def _number(self, name: str, mid: float) -> int | None:
        """Return the number of a market's book, a new one at first; None where there is no room."""
        if name in self._names:
            return self._names.index(name)
        if len(self._names) == BOOKS:
            return None
        number = len(self._names)
        self._names.append(name)
        self._shown.append(0)
        self.window.steps[number] = step_for(mid)
        height = self.zones[0].step if self.zones else step_for(mid)
        self.zones.append(LiquidityZones(height))
        return number
