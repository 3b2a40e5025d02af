"""A market's past, played on a desk of its own, so that nobody waits for it.

Live, a thread plays it beside the loop; a replay plays it in its turn. Both start from what was
known at the `Join`, and the market enters its coin's desk at the `Joined`: the same state.
"""

from __future__ import annotations

from copy import deepcopy

from powderkeg.desk import Counts, Desk
from powderkeg.past import Past


class Joining:
    """One market between the answers about its past and its entry."""

    __slots__ = ("_apart", "_heard", "_past", "market", "since", "until")

    def __init__(self, desk: Desk, past: Past, span: tuple[int, int], heard: int) -> None:
        """Copy what is known of the market.

        Args:
            desk: Of its coin, as it stands at the `Join`.
            past: What was answered about the market.
            span: µs up to which it is known already, 0 for nothing; and the end of the past.
            heard: µs from which its stream was heard.
        """
        self.market = past.market
        self.since, self.until = span
        self._heard = heard
        self._past: Past | None = past
        self._apart = _apart(desk, past.market)

    def play(self) -> None:
        """Live through the past. Nothing outside is touched; a second call does nothing."""
        past, self._past = self._past, None
        if past is not None:
            for event in past.tell(self.since, self.until, self._heard):
                self._apart.apply(event)

    def enter(self, desk: Desk) -> None:
        """Put the market into its coin's desk, its past played.

        Its book, its link and its quotes are those of now.
        """
        self.play()
        for count in Counts.__struct_fields__:
            known = getattr(desk.counts, count) + getattr(self._apart.counts, count)
            setattr(desk.counts, count, known)
        market, here = self._apart.markets.get(self.market), desk.markets.get(self.market)
        if market is None:
            return
        if here is not None:
            market.book, market.quotes, market.link = here.book, here.quotes, here.link
            market.seen = max(market.seen, here.seen)
        desk.markets[self.market] = market
        if desk.leader is market:
            desk.prices = self._apart.prices


def _apart(desk: Desk, name: str) -> Desk:
    """Return a desk that knows one market alone; it shares the book, which no past changes."""
    other = type(desk)(desk.coin, desk.settings, desk.horizon)
    other.now, other.prices = desk.now, deepcopy(desk.prices)
    market = desk.markets.get(name)
    if market is not None:
        shared = {id(part): part for part in (market.book, market.quotes)}
        other.markets[name] = deepcopy(market, shared)
    return other
