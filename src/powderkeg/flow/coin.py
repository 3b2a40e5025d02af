"""The order flow of one coin: its prints and books on all venues, read together.

Prints are counted as they come. Books are read every 100 ms of event time, all in one pass; a book
that is not live is left as it was and its reads age. Spot markets count beside perpetuals and are
kept apart from them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Final

from powderkeg.events import HOUR, SECOND, Trade, Trades
from powderkeg.flow.books.absorption import AbsorptionReads, Pressure
from powderkeg.flow.books.walls import Wall, Walls
from powderkeg.flow.books.window import BookWindow
from powderkeg.flow.tape.delta import CumulativeDelta
from powderkeg.flow.tape.prints import MergedPrint, PrintMerger, SizeScale
from powderkeg.flow.tape.traded import Traded, step_for
from powderkeg.market.book import Book

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
_REACH: Final = 0.02
"""Fraction of the mid within which a book is looked at."""


class MarketFlow:
    """The prints of one market."""

    __slots__ = ("cvd", "merger", "name", "traded")

    def __init__(self, name: str, price: float) -> None:
        """Start with the price that the height of its rows is chosen by."""
        self.name = name
        self.cvd = CumulativeDelta()
        self.merger = PrintMerger(name)
        self.traded = Traded(step_for(price), TRADED)


class CoinFlow:
    """Order flow of one coin."""

    __slots__ = (
        "_at", "_names", "_shown", "_traded", "absorption", "ended", "markets", "now", "pressures",
        "prints", "scale", "walls", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        """Start empty."""
        self.markets: dict[str, MarketFlow] = {}
        self.prints: deque[MergedPrint] = deque(maxlen=PRINTS)
        """Newest last, of all markets."""
        self.scale = SizeScale()
        self.window = BookWindow([1.0] * BOOKS)
        self.walls = Walls(BOOKS)
        self.absorption = AbsorptionReads(BOOKS)
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
        self._traded = False
        """Whether any book was traded against in this frame."""

    def book_of(self, number: int) -> str:
        """Return the market of a book of the window."""
        return self._names[number]

    def add_trades(self, market: str, event: Trade | Trades) -> None:
        """Add the accepted prints of a market."""
        run = event.as_run() if isinstance(event, Trade) else event
        known = self.markets.get(market)
        if known is None:
            known = self.markets[market] = MarketFlow(market, float(run.prices[0]))
        known.cvd.add(run)
        known.traded.add(run)
        self._add_prints(known.merger.add(run))
        if market in self._names:
            book, self._traded = self._names.index(market), True
            self.window.add_trades(book, run.prices, run.sizes)

    def _add_prints(self, done: list[MergedPrint]) -> None:
        for each in done:
            self.scale.add(each)
            self.prints.append(each)

    def advance(self, now: int, books: Mapping[str, Book]) -> None:
        """Read the books if a frame has ended; call it before what arrives at `now` is added.

        Args:
            now: µs.
            books: By market.
        """
        if now // FRAME == self._at:
            return
        self._at = now // FRAME
        for market in self.markets.values():
            self._add_prints(market.merger.flush(now))
        if not self._load(books) and not self._traded:
            return  # nothing has changed: what is only older now is read with the next change
        self._traded = False
        self.now = self._at * FRAME
        self.ended.extend((self.now, wall) for wall in self.walls.frame(self.window, self.now))
        self.pressures.extend(self.absorption.frame(self.window, self.now))
        self.window.end_frame()

    def _load(self, books: Mapping[str, Book]) -> bool:
        """Copy the live books that have changed into the window; return whether there were any."""
        changed = False
        live = [(name, book) for name, book in books.items() if book.status == "live"]
        for name, book in live:
            if not math.isfinite(book.mid) or book.mid <= 0:
                continue
            number = self._number(name, book.mid)
            if number is None or self._shown[number] == book.at:
                continue
            self._shown[number] = book.at
            low, high = book.mid * (1 - _REACH), book.mid * (1 + _REACH)
            moved = self.window.load(
                number, book.depth("buy", low, high), book.depth("sell", low, high)
            )
            if moved:
                self.absorption.roll(number, moved)
            changed = True
        return changed

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
        return number
