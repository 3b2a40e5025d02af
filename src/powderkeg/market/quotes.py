"""Check of the book against the venue's own best bid and ask, at every update both have."""

from __future__ import annotations

from powderkeg.events import Quote

Best = tuple[float, float, float, float]
"""Bid, its size, ask, its size."""
KEEP = 512
"""Updates kept of each; the two streams are never further apart."""


class QuoteCheck:
    """Counts how often a rebuilt book and the venue's quotes agree and differ."""

    __slots__ = ("_books", "_quotes", "differed", "matched", "quoted")

    def __init__(self) -> None:
        self.matched = 0
        self.differed = 0
        self.quoted = False
        """Whether the venue sends quotes at all; most do not."""
        self._books: dict[int, Best] = {}
        self._quotes: dict[int, Best] = {}

    def book(self, update: int, best: Best) -> None:
        """Add the book's best bid and ask after an update."""
        self._match(update, best, self._books, self._quotes)

    def quote(self, event: Quote) -> None:
        """Add the venue's quote."""
        self.quoted = True
        best = (event.bid, event.bid_size, event.ask, event.ask_size)
        self._match(event.update, best, self._quotes, self._books)

    def _match(
        self, update: int, best: Best, mine: dict[int, Best], other: dict[int, Best]
    ) -> None:
        if update in other:
            same = other.pop(update) == best
            self.matched += same
            self.differed += not same
            return
        mine[update] = best
        if len(mine) > KEEP:
            del mine[next(iter(mine))]
