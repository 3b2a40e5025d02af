"""A session: the desks that are served, and where their events come from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Literal, Protocol, TypeVar
from weakref import WeakValueDictionary

import numpy as np
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.engine.calibration.forecasts import ForecastLog
from powderkeg.errors import RequestError
from powderkeg.events import SECOND
from powderkeg.feed.decoder import Feed
from powderkeg.history.playback import PlaybackCursor
from powderkeg.live.answers import FeedHealth, LinkState
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import MapFilter, MarketView
from powderkeg.maps.views.grade import Grade, Skill, grade, learned, over_path_only
from powderkeg.maps.views.moves import kept, outside
from powderkeg.maps.views.queries import HistoryQuery, Query
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.answers.compose import answer_of
from powderkeg.serve.answers.envelope import Envelope, FeedState, Source, VenueStatus
from powderkeg.serve.answers.progress import Progress
from powderkeg.serve.frozen_desk import frozen
from powderkeg.serve.trust import assumed, fit, model, prior_only
from powderkeg.serve.workers import Workers
from powderkeg.venues import spec_of

T = TypeVar("T")
STALE = 10.0
"""Seconds without an event after which a market counts as stale."""
MOMENT = 0.1
"""Seconds for which a frozen desk serves new queries: freezing one blocks the loop."""
KEPT = "as it was drawn then"
"""Description of the model of a past column, which does not store its inputs."""


class Collecting(Protocol):
    """What a session needs of its collector."""

    @property
    def feed(self) -> Feed:
        """The readers of the venues."""
        ...

    def markets(self, coin: str) -> dict[str, str]:
        """Return the markets collected for a coin, and the state of their links."""
        ...

    def health(self) -> FeedHealth:
        """Return the state of each venue and channel."""
        ...


class Frozen:
    """A frozen desk, released with the last answer computed from it."""

    __slots__ = ("__weakref__", "desk", "until")

    def __init__(self, desk: Desk, until: float) -> None:
        """Hold a frozen desk, which may serve new queries until `until`, monotonic s."""
        self.desk = desk
        self.until = until


class Session:
    """Desks by coin, and the source label that every answer carries."""

    def __init__(self, source: Source, desks: dict[str, Desk], clock: Callable[[], int]) -> None:
        """Serve `desks`; `clock` returns now, µs."""
        self.source: Source = source
        self.desks = desks
        self.clock = clock
        self.ready = False
        """True once every desk has its history."""
        self.progress = ""
        """Current step of the start."""
        self.failed = ""
        """Why the desks are no longer fed; empty while they are."""
        self.note = ""
        """Why the source is what it is, such as which venues did not answer."""
        self.starting: Callable[[], Progress] | None = None
        """Progress of the start; None where there is nothing to wait for."""
        self.collector: Collecting | None = None
        """Feeds the desks live; None for a replay or a simulated market."""
        self.cursors: dict[str, PlaybackCursor] = {}
        """Playback of each coin's history, where all of it is stored."""
        self._skills: dict[str, tuple[ForecastLog, int, Skill]] = {}
        """Skill of each market, with the log and the number of hours it was computed from."""
        self.workers = Workers()
        """Where answers are computed."""
        self._frozen: WeakValueDictionary[str, Frozen] = WeakValueDictionary()
        self._playback_lock = Lock()
        """Held during playback: a cursor is at one time only."""

    def desk(self, coin: str) -> Desk:
        """Return the desk of a coin.

        Raises:
            RequestError: No such coin here.
        """
        if coin not in self.desks:
            raise RequestError(f"expected one of {', '.join(self.desks)}, found {coin!r}")
        return self.desks[coin]

    def now(self, desk: Desk) -> int:
        """Return the time that ages are relative to: now, or a replay's own time."""
        return desk.now if self.source == "replay" else self.clock()

    def answer(self, coin: str, name: str, query: Query) -> Envelope:
        """Return a view with the fields that every answer has.

        Past times are played back where all history is stored, and otherwise read from columns.

        Raises:
            RequestError: No such coin, or no data of it yet or at that time.
        """
        desk = self._desk_with_data(coin, query)
        cursor = self.cursors.get(coin)
        if cursor is None or not query.at:
            return self._answer(desk, name, query)
        return self.played_back(
            coin,
            query.at,
            lambda then: self._answer(then, name, replace(query, at=0), now=query.at),
        )

    def played_back(self, coin: str, at: int, view: Callable[[Desk], T]) -> T:
        """Return a view of a coin's desk as it was at a time, µs, where its past is stored."""
        with self._playback_lock:
            return view(self.cursors[coin].desk_at(at))

    def _desk_with_data(self, coin: str, query: Query) -> Desk:
        """Return the desk of a coin that has data at the requested time."""
        desk = self.desk(coin)
        if not any(True for _ in desk.estimated()):
            raise RequestError(
                f"nothing is known of {coin} yet: {self.progress or 'no mark price'}"
            )
        if query.at and coin not in self.cursors:
            since, _ = kept(desk)
            if not since <= query.at <= self.now(desk):
                raise RequestError(outside(since, self.now(desk), query.at))
        return desk

    def job(self, coin: str, name: str, query: Query) -> Callable[[], Envelope]:
        """Return a function that computes the answer in any thread, from the desk as it is now.

        Raises:
            RequestError: As `answer`.
        """
        self._desk_with_data(coin, query)
        if query.at and coin in self.cursors:
            return partial(self.answer, coin, name, query)
        snapshot = self.frozen(coin)
        about = self.about(snapshot.desk, query)
        return lambda: self._view(snapshot.desk, name, query, about)

    def release(self, coin: str) -> None:
        """Drop a coin's frozen desk: pages have received newer data."""
        self._frozen.pop(coin, None)

    def frozen(self, coin: str) -> Frozen:
        """Return a frozen copy of a coin's desk, at most `MOMENT` old."""
        snapshot = self._frozen.get(coin)
        if snapshot is None or time.monotonic() >= snapshot.until:
            snapshot = Frozen(frozen(self.desk(coin)), time.monotonic() + MOMENT)
            self._frozen[coin] = snapshot
        return snapshot

    def _answer(self, desk: Desk, name: str, query: Query, *, now: int | None = None) -> Envelope:
        """Return a view of a desk; `now` replaces the current time during playback."""
        return self._view(desk, name, query, self.about(desk, query, now=now))

    def _view(self, desk: Desk, name: str, query: Query, about: Envelope) -> Envelope:
        cursor = self.cursors.get(desk.coin)
        kind, make = VIEWS[name]
        view = cursor.history() if cursor and kind is HistoryQuery else make(desk, query)
        return answer_of(name, about, view)

    def about(self, desk: Desk, query: Query, *, now: int | None = None) -> Envelope:
        """Return the fields of every answer: time, age, source, model, coverage.

        Of past columns only what they store is returned; the rest is None.
        """
        now = self.now(desk) if now is None else now
        price = past.price_at(desk, query.at) if query.at else desk.price
        mark = past.price_at(desk, query.at)
        venues = _venues_at(desk, query) if query.at else self.venues(desk, query, now)
        with_data = [v for v in venues if v.on and v.state == "up"]
        fitted = fit(desk, query.map_filter())
        stands = query.at or desk.now
        return Envelope(
            coin=desk.coin,
            source=self.source,
            note=self.note,
            as_of=stands or None,
            now=now,
            age=seconds_from_now(now, stands) if stands else None,
            model=KEPT if query.at else model(desk, query.map_filter()),
            mode=query.model,
            prior_only=None if query.at else prior_only(desk),
            fit=fitted if not query.at or fitted.since <= query.at else None,
            grade=None if query.at else self.grade(desk, query, venues),
            coverage=len(with_data) / max(sum(v.on for v in venues), 1),
            price=None if math.isnan(price) else price,
            mark=None if math.isnan(mark) else mark,
            tick=tick(price),
            venues=venues,
        )

    def venues(self, desk: Desk, query: Query, now: int) -> list[VenueStatus]:
        """Return name, selection, age, state, open interest and its share of each venue."""
        map_filter = query.map_filter()
        patient = self.source == "replay"
        markets = list(desk.estimated())
        total = sum(m.estimate.oi for m in markets if m.estimate.oi > 0)
        links = self.collector.markets(desk.coin) if self.collector else {}
        known = [_status(m, map_filter.takes(m.venue), now, total, patient) for m in markets]
        for each in known:
            joining = each.state == "down" and links.get(each.market) == "joining"
            if joining or self._recorded:  # its history is known, its stream has not started yet
                each.state = "joining"
        here = {m.name for m in markets}
        return known + [
            _venue_without_data(m, map_filter, links[m])
            for m in links
            if m not in here and spec_of(m.partition(":")[0]).leveraged  # spot has no map
        ]

    @property
    def _recorded(self) -> bool:
        """Whether there is only history so far, before anything is collected."""
        return self.starting is not None and self.collector is None and not self.ready

    def grade(self, desk: Desk, query: Query, venues: list[VenueStatus]) -> Grade:
        """Return the grade of the map: the worst of four criteria decides."""
        known = [v for v in venues if v.on]
        total = sum(v.oi or 0.0 for v in known)
        up = sum(v.oi or 0.0 for v in known if v.state in ("up", "joining"))
        patient = self.source == "replay"
        with_data = [v for v in known if v.state not in ("down", "joining")]
        ages = [v.age for v in with_data if v.age is not None]
        joining = not ages and any(v.state == "joining" for v in known)
        map_filter = query.map_filter()
        return grade(
            desk,
            interest=total * (0.0 if math.isnan(desk.price) else desk.price),
            coverage=up / total if total else 0.0,
            silence=0.0 if patient or joining else max(ages, default=math.inf) * SECOND,
            markets=[
                learned(
                    m.estimate,
                    self._skill(m),
                    chosen=map_filter.takes(m.venue),
                    assumed=assumed(m, desk.now),
                )
                for m in desk.estimated()
            ],
        )

    def _skill(self, market: MarketView) -> Skill:
        """Return a market's skill over a map of the path alone, computed once an hour."""
        record, last = market.estimate.forecast_log, self._skills.get(market.name)
        if last is None or last[0] is not record or last[1] != record.count:
            found = over_path_only(record.hours, record.rows.astype(np.float64))
            last = self._skills[market.name] = (record, record.count, found)
        return last[2]


def _venues_at(desk: Desk, query: Query) -> list[VenueStatus]:
    """Return each venue from its columns: only whether it was drawn at that time."""
    map_filter = query.map_filter()
    return [
        VenueStatus(m.venue, m.name, map_filter.takes(m.venue), None, state, None, None)
        for m in desk.estimated()
        if (state := past.state_at(m, query.at)) != "unknown"
    ]


def _venue_without_data(name: str, map_filter: MapFilter, link: str = "down") -> VenueStatus:
    venue = name.partition(":")[0]
    state: FeedState = "down" if link == "down" else "joining"  # up, but without a mark price yet
    return VenueStatus(venue, name, map_filter.takes(venue), None, state, 0.0, 0.0)


def _status(market: MarketView, on: bool, now: int, total: float, patient: bool) -> VenueStatus:
    age = seconds_from_now(now, market.last_received)
    oi = market.estimate.oi
    known = oi > 0
    return VenueStatus(
        name=market.venue,
        market=market.name,
        on=on,
        age=age,
        state="stale"
        if market.link == "up" and age > STALE and not patient
        else _feed(market.link),
        oi=oi if known else 0.0,
        share=oi / total if known else 0.0,
    )


def _feed(link: LinkState | Literal["refused"]) -> FeedState:
    """Return the state of a feed; of one that is refused nothing comes, as of one that is down."""
    return "down" if link == "refused" else link


def seconds_from_now(now: int, stands: int) -> float:
    """Return how far from now a time is, s: ahead counts as much as behind."""
    return abs(now - stands) / SECOND


def tick(price: float) -> float:
    """Return the price increment worth showing: six significant digits, a tenth at most."""
    if not price > 0:
        return 0.01
    return 10.0 ** (min(math.floor(math.log10(price)), 4) - 5)
