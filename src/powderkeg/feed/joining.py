"""A market's past, played on a desk of its own, so that nobody waits for it.

Live, a thread plays it beside the loop; a replay plays it in its turn. Both start from what was
known at the `BackfillDone`, and the market enters its coin's desk at the `MarketReady`: the same
state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy

from powderkeg.desk import Ask, Counts, Desk
from powderkeg.events import Event, Link, Trade, Trades
from powderkeg.feed.backfill import Backfill, as_columns
from powderkeg.market.book import Book
from powderkeg.market.quotes import QuoteCheck


class Joining:
    """One market between the answers about its past and its entry."""

    __slots__ = ("_apart", "_heard", "_lost", "_past", "_streamed", "market", "since", "until")

    def __init__(
        self, desk: Desk, past: Backfill, span: tuple[int, int], heard: int, streamed: list[Event]
    ) -> None:
        """Copy what is known of the market.

        Args:
            desk: Of its coin, as it stands at the `BackfillDone`.
            past: What was answered about the market.
            span: µs up to which it is known already, 0 for nothing; and the end of the past.
            heard: µs from which its stream was heard.
            streamed: What came of it since, and waited.
        """
        self.market = past.market
        self.since, self.until = span
        self._heard = heard
        self._past: Backfill | None = past
        self._streamed = streamed
        self._lost = any(isinstance(each, Link) and each.state == "down" for each in streamed)
        self._apart = _apart(desk, past.market)

    def play(self) -> None:
        """Live through the past. Nothing outside is touched; a second call does nothing."""
        past, self._past = self._past, None
        if past is None:
            return
        for event in past.events(self.since, self.until, self._heard):
            self._apart.apply(event)
        for event in merged(self._streamed):
            self._apart.apply(event)
        self._streamed = []

    def enter(self, desk: Desk) -> list[Ask]:
        """Put the market into its coin's desk, its past played; its book is that of now."""
        self.play()
        adopt(desk, self._apart)
        market = desk.markets.get(self.market)
        ask = market.book.lose("link down") if market is not None and self._lost else None
        return [ask] if ask else []


def adopt(desk: Desk, apart: Desk) -> None:
    """Put what a desk of its own knows of its market into the coin's desk, with what it counted.

    Book and quotes of a market that is there already stay: no past changes them.
    """
    for count in Counts.__struct_fields__:
        setattr(desk.counts, count, getattr(desk.counts, count) + getattr(apart.counts, count))
    desk.observed |= apart.observed
    for name, market in apart.markets.items():
        here = desk.markets.get(name)
        if here is not None:
            market.book, market.quotes = here.book, here.quotes
            market.last_received = max(market.last_received, here.last_received)
        desk.markets[name] = market
        if desk.leader is market:
            desk.prices = apart.prices


def merged(events: Iterable[Event]) -> Iterator[Event]:
    """Yield events with prints that come one after another as one run, as `Feed` takes them."""
    run: list[Trade | Trades] = []
    for event in events:
        if isinstance(event, Trade | Trades):
            run.append(event)
            continue
        if run:
            yield as_one(run)
            run = []
        yield event
    if run:
        yield as_one(run)


def as_one(run: list[Trade | Trades]) -> Trade | Trades:
    """Return prints, at least one, as one event."""
    return run[0] if len(run) == 1 else as_columns(run)


def _apart(desk: Desk, name: str) -> Desk:
    """Return a desk that knows one market alone, and not its book: a past says nothing of that."""
    other = type(desk)(desk.coin, desk.settings, desk.backfill_until)
    other.now, other.prices = desk.now, deepcopy(desk.prices)
    if name in desk.observed:
        other.observed[name] = deepcopy(desk.observed[name])
    market = desk.markets.get(name)
    if market is not None:
        fresh = {id(market.book): Book(name), id(market.quotes): QuoteCheck()}
        other.markets[name] = deepcopy(market, fresh)
    return other
