"""Progress of a start: what is requested from each venue, how far, what failed, what is next."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from powderkeg.events import SECOND
from powderkeg.live.backfill import BackfillProgress
from powderkeg.live.collector import Collector
from powderkeg.serve.answers.progress import (
    CoinProgress,
    CoinState,
    MarketProgress,
    MarketState,
    MarketStreams,
    Progress,
)
from powderkeg.serve.session import Session
from powderkeg.venues import VENUES

FETCHED: Final = 0.8
"""Share of a market's start that is fetching its history; the rest is playing it."""
COMPILING: Final = "compiling, which only the first start does"
STEADY: Final = 5 * SECOND
"""Time constant, µs, with which a later estimate is adopted; an earlier one is at once."""
KNOWN: Final = 0.05
"""Share of the work from which the time left is estimated."""


class Starting:
    """Progress of a start, read from other components without changing them."""

    def __init__(self, session: Session, venues: tuple[str, ...], clock: Callable[[], int]) -> None:
        """Begin now.

        Args:
            session: The session that starts.
            venues: Venues that are asked.
            clock: Returns now, µs.
        """
        self.session = session
        self.venues = venues
        self.since = clock()
        self.done = 0
        """µs at which everything was ready; 0 before."""
        self.answers: dict[str, str] = {}
        """Why a venue cannot be reached, by venue; empty if it answers."""
        self.recorded: Callable[[str, str], float] | None = None
        """Share of a simulated history that is there, by coin and market."""
        self.warmed = True
        """Whether all kernels are compiled: at the very first start that takes a while."""
        self._ends: dict[str, tuple[float, int]] = {}
        """Expected end of each market, coin, and the whole, and when it was estimated, µs."""
        self._clock = clock

    def answer(self, collector: Collector | None) -> Progress:
        """Return the progress without NaN or infinity."""
        now = self._clock()
        if self.session.ready and not self.done:
            self.done = now
        markets = [
            self._market(collector, coin, name, now)
            for coin in self.session.desks
            for name in self._names(collector, coin)
        ]
        coins = [self._coin(coin, markets, now) for coin in self.session.desks]
        share = 1.0 if self.session.ready else _mean([coin.share for coin in coins])
        return Progress(
            ready=self.session.ready,
            source=self.session.source,
            note=self.session.note,
            since=self.since,
            now=now,
            took=self._took(),
            doing=self._doing(),
            share=share,
            left=self._left("", share, now),
            coins=coins,
            markets=markets,
        )

    def _took(self) -> float | None:
        """Return the seconds the whole start took, once it is over."""
        return (self.done - self.since) / SECOND if self.done else None

    def _doing(self) -> str:
        words = self.session.progress
        return words if self.warmed or not words else f"{words}; {COMPILING}"

    def _left(self, name: str, share: float, now: int) -> float | None:
        """Return the seconds left if the rest is as fast as what is done; None while unknown.

        It counts down steadily, however often it is read: a later end is adopted gradually.
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
        return [f"{venue}:{VENUES[venue].reader('').symbol(coin)}" for venue in self.venues]

    def _coin(self, coin: str, markets: list[MarketProgress], now: int) -> CoinProgress:
        desk = self.session.desks[coin]
        own = [market for market in markets if market.coin == coin]
        share = _mean([market.share for market in own])
        ended = bool(own) and all(m.state in ("ready", "failed", "refused") for m in own)
        state: CoinState = "waiting" if math.isnan(desk.price) else "price"
        if any(True for _ in desk.estimated()):
            state = "ready" if ended or self.session.ready else "map"
        return CoinProgress(coin, state, share, self._left(coin, share, now))

    def _market(
        self, collector: Collector | None, coin: str, name: str, now: int
    ) -> MarketProgress:
        venue, asked = name.partition(":")[0], _backfill(collector, name)
        state = self._state(collector, name)
        fetched = asked.answered / asked.requests if asked and asked.requests else 0.0
        share = 1.0 if state in ("ready", "failed", "refused") else FETCHED * fetched
        recorded = self.recorded(coin, name) if self.recorded else 0.0
        share = max(share, FETCHED * recorded)
        if state == "waiting" and recorded > 0:
            state = "playing"
        problem, following, tries = self._problem(collector, venue, name)
        return MarketProgress(
            coin=coin,
            market=name,
            venue=venue,
            state=state,
            requests=asked.requests if asked else 0,
            answered=asked.answered if asked else 0,
            share=share,
            left=self._left(name, share, now),
            problem=problem,
            next=following,
            tries=tries,
            streams=_streams(collector, name),
        )

    def _state(self, collector: Collector | None, name: str) -> MarketState:
        venue = name.partition(":")[0]
        if collector is None:
            return "failed" if self.answers.get(venue) else "waiting"
        if name not in collector.feed.coins:
            return "waiting"
        asked = _backfill(collector, name)
        if name not in collector.feed.waiting:
            return "failed" if asked and asked.failed and not asked.answered else "ready"
        if _refuses(collector.status.problems.get(venue, "")):
            return "refused"
        if asked is None or not asked.requests:
            return "asking"
        return "playing" if asked.complete else "fetching"

    def _problem(self, collector: Collector | None, venue: str, name: str) -> tuple[str, str, int]:
        """Return what failed, what is tried next, and the number of attempts."""
        if collector is None:
            why = self.answers.get(venue, "")
            return why, "simulated venues, where none answers" if why else "", 1
        tries = max(collector.rests[venue].tries.values(), default=0) + 1
        asked = _backfill(collector, name)
        why = collector.status.problems.get(venue, "") or (asked.failed if asked else "")
        if not why:
            return "", "", tries
        if _refuses(why):
            return why, "asked again after ten minutes", tries
        return why, "asked again within a minute", tries


def _backfill(collector: Collector | None, name: str) -> BackfillProgress | None:
    """Return the progress of a market's backfill, None before it begins."""
    if collector is None or collector.backfill is None:
        return None
    return collector.backfill.progress.get(name)


def _streams(collector: Collector | None, name: str) -> MarketStreams:
    """Return the state of each stream of a market; `none` if the venue has no such stream."""
    if collector is None:
        return MarketStreams()
    stream = partial(collector.status.stream, name)
    return MarketStreams(
        trades=stream("trades"), book=stream("book"), interest=stream("oi"),
        funding=stream("funding"), liquidations=stream("liquidations"),
    )  # fmt: skip


def _refuses(why: str) -> bool:
    """Return whether a venue refuses this address, which a retry seldom changes."""
    return why.startswith(("HTTP 403", "HTTP 451"))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def progress_of(session: Session) -> Progress:
    """Return the progress of a session's start; a replay is ready at once."""
    if session.starting is not None:
        return session.starting()
    return Starting(session, (), session.clock).answer(None)
