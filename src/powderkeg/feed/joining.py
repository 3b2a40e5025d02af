"""Replays a market's backfill on a desk of its own, without blocking the feed.

Live, a thread plays it beside the loop; a replay plays it in order. Both start from the state at
the `BackfillDone`, and the market enters its coin's desk at the `MarketReady`, so both end in the
same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy

from powderkeg.desk import Ask, Counts, Desk
from powderkeg.events import Event, Link, Trade, Trades
from powderkeg.feed.backfill import Backfill
from powderkeg.feed.drive import drive
from powderkeg.market.book import Book
from powderkeg.market.quotes import QuoteCheck


class Joining:
    """One market between its `BackfillDone` and its entry into the desk."""

    __slots__ = ("_apart", "_heard", "_lost", "_past", "_streamed", "market", "since", "until")

    def __init__(
        self,
        desk: Desk,
        past: Backfill,
        span: tuple[int, int],
        stream_start: int,
        streamed: list[Event],
    ) -> None:
        """Copy the state of the market.

        Args:
            desk: Of its coin, as it stands at the `BackfillDone`.
            past: Its backfill.
            span: µs up to which it is known already, 0 for none; and the end of the backfill.
            stream_start: µs of its first streamed trade.
            streamed: Events that arrived since and waited.
        """
        self.market = past.market
        self.since, self.until = span
        self._heard = stream_start
        self._past: Backfill | None = past
        self._streamed = streamed
        self._lost = any(isinstance(each, Link) and each.state == "down" for each in streamed)
        self._apart = _apart(desk, past.market)

    def play(self) -> None:
        """Replay the backfill. It changes nothing outside; a second call does nothing."""
        past, self._past = self._past, None
        if past is None:
            return
        drive(self._apart, past.events(self.since, self.until, self._heard))
        drive(self._apart, merged(self._streamed))
        self._streamed = []

    def enter(self, desk: Desk) -> list[Ask]:
        """Put the backfilled market into its coin's desk, with the desk's current book."""
        self.play()
        adopt(desk, self._apart)
        market = desk.markets.get(self.market)
        ask = market.book.mark_lost("link down") if market is not None and self._lost else None
        return [ask] if ask else []


def adopt(desk: Desk, apart: Desk) -> None:
    """Move the market of a separate desk into the coin's desk, and add up the counts.

    Book and quotes of a market that is already there stay: a backfill does not change them.
    """
    for count in Counts.__struct_fields__:
        setattr(desk.counts, count, getattr(desk.counts, count) + getattr(apart.counts, count))
    desk.observed |= apart.observed
    desk.flow.adopt(apart.flow)
    for name, market in apart.markets.items():
        here = desk.markets.get(name)
        if here is not None:
            market.book, market.quotes = here.book, here.quotes
            market.last_received = max(market.last_received, here.last_received)
        desk.markets[name] = market
        if desk.leader is market:
            desk.prices = apart.prices


def merged(events: Iterable[Event]) -> Iterator[Event]:
    """Yield events with consecutive prints joined into one run, as `Feed` applies them."""
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
    return run[0] if len(run) == 1 else Trades.concat(run).by_time()


def _apart(desk: Desk, name: str) -> Desk:
    """Return a desk with a copy of one market only, without its book: no backfill has one."""
    other = type(desk)(desk.coin, desk.settings, desk.backfill_until)
    other.now, other.prices = desk.now, deepcopy(desk.prices)
    if name in desk.observed:
        other.observed[name] = deepcopy(desk.observed[name])
    market = desk.markets.get(name)
    if market is not None:
        fresh = {id(market.book): Book(name), id(market.quotes): QuoteCheck()}
        other.markets[name] = deepcopy(market, fresh)
    if name in desk.flow.markets:
        other.flow.markets[name] = deepcopy(desk.flow.markets[name])
    return other
