"""What a start is doing: who is asked for what, how far that is, what failed, what comes next."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from powderkeg.events import SECOND
from powderkeg.live.backfill import Asked
from powderkeg.live.collector import Collector
from powderkeg.serve.session import Session
from powderkeg.venues import VENUES
from powderkeg.venues.base import ChannelKind

State: TypeAlias = Literal["waiting", "asking", "fetching", "playing", "ready", "failed", "refused"]
STREAMS: Final[dict[str, ChannelKind]] = {
    "trades": "trades", "book": "book", "interest": "oi", "funding": "funding",
    "liquidations": "liquidations",
}  # fmt: skip
"""Names of the streams a page shows, and what the health calls them."""
FETCHED: Final = 0.8
"""Share of a market's way to the map that is asking for its past; the rest is playing it."""
COMPILING: Final = "compiling, which only the first start does"
STEADY: Final = 5 * SECOND
"""µs in which a later end is believed; an earlier one is at once."""
KNOWN: Final = 0.05
"""Share of the work after which the time left is estimated."""


class Starting:
    """How far a start has come. It reads what others do, and changes nothing of theirs."""

    def __init__(self, session: Session, venues: tuple[str, ...], clock: Callable[[], int]) -> None:
        """Begin now.

        Args:
            session: Of the coins that are started.
            venues: Asked for them.
            clock: Gives now in µs.
        """
        self.session = session
        self.venues = venues
        self.since = clock()
        self.done = 0
        """µs at which all was ready; 0 before."""
        self.answers: dict[str, str] = {}
        """Why a venue cannot be reached, by venue; empty where it answers."""
        self.recorded: Callable[[str, str], float] | None = None
        """Share of a simulated past that is there, by coin and market."""
        self.warmed = True
        """Whether all kernels are compiled: at the very first start that takes a while."""
        self._ends: dict[str, tuple[float, int]] = {}
        """When each market, coin, and all of them were last expected to be ready, and when that
        was said, µs."""
        self._clock = clock

    def answer(self, collector: Collector | None) -> dict[str, Any]:
        """Return all of it as a plain record without NaN or infinity; times in µs, spans in s."""
        now = self._clock()
        if self.session.ready and not self.done:
            self.done = now
        markets = [
            self._market(collector, coin, name, now)
            for coin in self.session.desks
            for name in self._names(collector, coin)
        ]
        coins = [self._coin(coin, markets, now) for coin in self.session.desks]
        share = 1.0 if self.session.ready else _mean([coin["share"] for coin in coins])
        return {
            "kind": "starting", "ready": self.session.ready, "source": self.session.source,
            "note": self.session.note, "since": self.since, "now": now, "took": self._took(),
            "doing": self._doing(), "share": share, "left": self._left("", share, now),
            "coins": coins, "markets": markets,
        }  # fmt: skip

    def _took(self) -> float | None:
        """Return the seconds the whole start took, once it is over."""
        return (self.done - self.since) / SECOND if self.done else None

    def _doing(self) -> str:
        words = self.session.progress
        return words if self.warmed or not words else f"{words}; {COMPILING}"

    def _left(self, name: str, share: float, now: int) -> float | None:
        """Return the seconds left if the rest goes as fast as what is done; none while unknown.

        It runs down steadily, however many look: a later end is believed little by little.
        """
        if share >= 1:
            return 0.0
        if share < KNOWN:
            return None
        end = now + (now - self.since) * (1 - share) / share
        before, at = self._ends.get(name, (end, now))
        end = min(end, before + (end - before) * -math.expm1((at - now) / STEADY))
        self._ends[name] = end, now
        return round(max(0.0, end - now) / SECOND, 1)

    def _names(self, collector: Collector | None, coin: str) -> list[str]:
        if collector is not None:
            return list(collector.markets(coin))
        return [f"{venue}:{VENUES[venue]('').symbol(coin)}" for venue in self.venues]

    def _coin(self, coin: str, markets: list[dict[str, Any]], now: int) -> dict[str, Any]:
        desk = self.session.desks[coin]
        own = [market for market in markets if market["coin"] == coin]
        share = _mean([market["share"] for market in own])
        ended = bool(own) and all(m["state"] in ("ready", "failed", "refused") for m in own)
        state = "waiting" if math.isnan(desk.price) else "price"
        if any(True for _ in desk.estimated()):
            state = "ready" if ended or self.session.ready else "map"
        return {"coin": coin, "state": state, "share": share, "left": self._left(coin, share, now)}

    def _market(
        self, collector: Collector | None, coin: str, name: str, now: int
    ) -> dict[str, Any]:
        venue, asked = name.partition(":")[0], _asked(collector, name)
        state = self._state(collector, name)
        fetched = asked.answered / asked.asked if asked and asked.asked else 0.0
        share = 1.0 if state in ("ready", "failed", "refused") else FETCHED * fetched
        recorded = self.recorded(coin, name) if self.recorded else 0.0
        share = max(share, FETCHED * recorded)
        if state == "waiting" and recorded > 0:
            state = "playing"
        problem, following, tries = self._trouble(collector, venue, name)
        return {
            "coin": coin, "market": name, "venue": venue, "state": state,
            "asked": asked.asked if asked else 0, "answered": asked.answered if asked else 0,
            "share": share, "left": self._left(name, share, now),
            "problem": problem, "next": following, "tries": tries,
            "streams": _streams(collector, name),
        }  # fmt: skip

    def _state(self, collector: Collector | None, name: str) -> State:
        venue = name.partition(":")[0]
        if collector is None:
            return "failed" if self.answers.get(venue) else "waiting"
        if name not in collector.feed.coins:
            return "waiting"
        asked = _asked(collector, name)
        if name not in collector.feed.waiting:
            return "failed" if asked and asked.failed and not asked.answered else "ready"
        if _refuses(collector.status.problems.get(venue, "")):
            return "refused"
        if asked is None or not asked.asked:
            return "asking"
        return "playing" if asked.complete else "fetching"

    def _trouble(self, collector: Collector | None, venue: str, name: str) -> tuple[str, str, int]:
        """Return what failed, what is tried next, and how often it was tried."""
        if collector is None:
            why = self.answers.get(venue, "")
            return why, "simulated venues, where none answers" if why else "", 1
        tries = max(collector.rests[venue].tries.values(), default=0) + 1
        asked = _asked(collector, name)
        why = collector.status.problems.get(venue, "") or (asked.failed if asked else "")
        if not why:
            return "", "", tries
        if _refuses(why):
            return why, "asked again after ten minutes", tries
        return why, "asked again within a minute", tries


def _asked(collector: Collector | None, name: str) -> Asked | None:
    """Return how far the answers about a market's past are, None while none are asked for."""
    if collector is None or collector.backfill is None:
        return None
    return collector.backfill.asked.get(name)


def _streams(collector: Collector | None, name: str) -> dict[str, str]:
    """Return the state of each stream of a market; none where the venue has none."""
    if collector is None:
        return dict.fromkeys(STREAMS, "waiting")
    return {shown: collector.status.stream(name, kind) for shown, kind in STREAMS.items()}


def _refuses(why: str) -> bool:
    """Return whether a venue will not serve this address, which asking again seldom changes."""
    return why.startswith(("HTTP 403", "HTTP 451"))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def begun(session: Session) -> dict[str, Any]:
    """Return how far a session's start has come; a finished recording has nothing to wait for."""
    if session.starting is not None:
        return session.starting()
    return Starting(session, (), session.clock).answer(None)
