"""What is being served: the desks of all coins, and where their events come from."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.engine.borrowed import Borrowed
from powderkeg.engine.classes import GROUP, TIME, VOLUME
from powderkeg.engine.estimate import FRESH, VERSION, Estimate
from powderkeg.engine.exposure import Exposure
from powderkeg.engine.record import Record
from powderkeg.engine.table import DEPOSITED
from powderkeg.errors import RequestError
from powderkeg.events import DAY, SECOND
from powderkeg.history.reel import Reel
from powderkeg.maps import past
from powderkeg.maps.answers import Heatmap
from powderkeg.maps.grade import REPORTS, Grade, grade, learned
from powderkeg.maps.moves import kept, outside
from powderkeg.maps.queries import SPANS, HistoryQuery, Query
from powderkeg.maps.scene import TIER_NAMES, Choice, Known
from powderkeg.maps.skill import Skill, over_path_only
from powderkeg.maps.views import VIEWS
from powderkeg.serve.wire import fields

Source: TypeAlias = Literal["live", "replay", "simulated"]
ALL: Final = Choice()
STALE = 10.0
"""Seconds without a word after which a market counts as stale."""
KEPT = "as it was drawn then"
"""What is said of the model of a past that columns tell: they do not keep what it rested on."""


class Collecting(Protocol):
    """What a session may ask of whatever feeds it live."""

    def markets(self, coin: str) -> dict[str, str]:
        """Return the markets that are collected for a coin, and the state of their links."""
        ...

    def health(self) -> dict[str, Any]:
        """Return how each venue and channel fares."""
        ...


class Session:
    """Desks by coin, with the one label that every answer carries."""

    def __init__(self, source: Source, desks: dict[str, Desk], clock: Callable[[], int]) -> None:
        """Serve `desks`; `clock` gives now in µs."""
        self.source: Source = source
        self.desks = desks
        self.clock = clock
        self.ready = False
        """True once every desk has its history."""
        self.progress = ""
        """What is being done before that."""
        self.failed = ""
        """Why nothing feeds the desks any more; empty while something does."""
        self.note = ""
        """Why the source is what it is: which venues did not answer."""
        self.starting: Callable[[], dict[str, Any]] | None = None
        """How far the start has come; None where there is nothing to wait for."""
        self.collector: Collecting | None = None
        """What feeds the desks live; None for what is finished or made."""
        self.reels: dict[str, Reel] = {}
        """What plays a coin's past anew, where all of it is stored."""
        self._skills: dict[str, tuple[Record, int, Skill]] = {}
        """Of each market, with the record and the number of hours it was computed from."""
        self._turn = Lock()
        """A reel stands at one time: who asks for another waits."""

    def desk(self, coin: str) -> Desk:
        """Return the desk of a coin.

        Raises:
            RequestError: No such coin here.
        """
        if coin not in self.desks:
            raise RequestError(f"expected one of {', '.join(self.desks)}, found {coin!r}")
        return self.desks[coin]

    def now(self, desk: Desk) -> int:
        """Return the time answers are measured against: a replay stands at its own."""
        return desk.now if self.source == "replay" else self.clock()

    def answer(self, coin: str, name: str, query: Query) -> dict[str, Any]:
        """Return a view with what every answer says of itself.

        Of the past, a reel plays anew what was known then; without one, kept columns tell it.

        Raises:
            RequestError: No such coin, nothing known of it yet, or of that time.
        """
        desk = self.desk(coin)
        if not any(True for _ in desk.estimated()):
            raise RequestError(
                f"nothing is known of {coin} yet: {self.progress or 'no mark price'}"
            )
        reel = self.reels.get(coin)
        if reel is not None and query.at:
            with self._turn:
                then = reel.desk_at(query.at)
                return self._told(then, name, replace(query, at=0), now=query.at)
        if query.at:
            since, _ = kept(desk)
            if not since <= query.at <= self.now(desk):
                raise RequestError(outside(since, self.now(desk), query.at))
        return self._told(desk, name, query)

    async def ask(self, coin: str, name: str, query: Query) -> dict[str, Any]:
        """Answer as `answer` does; a past that is played anew holds up nobody else."""
        if query.at > 0 and coin in self.reels:
            return await asyncio.to_thread(self.answer, coin, name, query)
        return self.answer(coin, name, query)

    def _told(
        self, desk: Desk, name: str, query: Query, *, now: int | None = None
    ) -> dict[str, Any]:
        """Return a view of a desk; `now` is the time it is looked at where that is not now."""
        reel = self.reels.get(desk.coin)
        kind, make = VIEWS[name]
        view = reel.history() if reel and kind is HistoryQuery else make(desk, query)
        out = {"kind": name, **self.about(desk, query, now=now), **fields(view)}
        if isinstance(view, Heatmap):
            out |= {"tiers": list(TIER_NAMES), "spans": spans(desk)}
        return out

    def about(self, desk: Desk, query: Query, *, now: int | None = None) -> dict[str, Any]:
        """Return what every answer carries: time, age, source, model, coverage.

        Of the past that columns tell, only what was known then is said, and else nothing.
        """
        now = self.now(desk) if now is None else now
        price = past.price_at(desk, query.at) if query.at else desk.price
        mark = past.price_at(desk, query.at)
        venues = _then(desk, query) if query.at else self.venues(desk, query, now)
        heard = [v for v in venues if v["on"] and v["state"] == "up"]
        rests = fit(desk, query.choice())
        stands = query.at or desk.now
        return {
            "coin": desk.coin,
            "source": self.source,
            "note": self.note,
            "as_of": stands or None,
            "now": now,
            "age": away(now, stands) if stands else None,
            "model": KEPT if query.at else model(desk, query.choice()),
            "mode": query.model,
            "prior_only": None if query.at else prior_only(desk),
            "fit": rests if not query.at or _since(rests) <= query.at else None,
            "grade": None if query.at else self.grade(desk, query, venues),
            "coverage": len(heard) / max(sum(v["on"] for v in venues), 1),
            "price": None if math.isnan(price) else price,
            "mark": None if math.isnan(mark) else mark,
            "tick": tick(price),
            "venues": venues,
        }

    def venues(self, desk: Desk, query: Query, now: int) -> list[dict[str, Any]]:
        """Return name, choice, age, state, open interest and its share of each estimated venue."""
        choice = query.choice()
        patient = self.source == "replay"
        markets = list(desk.estimated())
        total = sum(m.estimate.oi for m in markets if m.estimate.oi > 0)
        links = self.collector.markets(desk.coin) if self.collector else {}
        known = [_status(m, choice.takes(m.venue), now, total, patient) for m in markets]
        for each in known:
            waits = each["state"] == "down" and links.get(each["market"]) == "joining"
            if waits or self._recorded:  # its past is known, its stream is not heard yet
                each["state"] = "joining"
        here = {m.name for m in markets}
        return known + [_unheard(m, choice, links[m]) for m in links if m not in here]

    @property
    def _recorded(self) -> bool:
        """Whether what is known is a past alone, before anything is collected."""
        return self.starting is not None and self.collector is None and not self.ready

    def grade(self, desk: Desk, query: Query, venues: list[dict[str, Any]]) -> Grade:
        """Return how reliable what is shown is: the worst of four things decides."""
        known = [v for v in venues if v["on"]]
        total = sum(v["oi"] for v in known)
        up = sum(v["oi"] for v in known if v["state"] in ("up", "joining"))
        patient = self.source == "replay"
        heard = [v for v in known if v["age"] is not None and v["state"] not in ("down", "joining")]
        ages = [v["age"] for v in heard]
        joining = not heard and any(v["state"] == "joining" for v in known)
        choice = query.choice()
        return grade(
            desk,
            interest=total * (0.0 if math.isnan(desk.price) else desk.price),
            coverage=up / total if total else 0.0,
            silence=0.0 if patient or joining else max(ages, default=math.inf) * SECOND,
            markets=[
                learned(
                    m.estimate,
                    self._skill(m),
                    chosen=choice.takes(m.venue),
                    assumed=assumed(m, desk.now),
                )
                for m in desk.estimated()
            ],
        )

    def _skill(self, market: Known) -> Skill:
        """Return a market's skill over a map of the path alone, computed once an hour."""
        record, last = market.estimate.record, self._skills.get(market.name)
        if last is None or last[0] is not record or last[1] != record.count:
            found = over_path_only(record.hours, record.rows.astype(np.float64))
            last = self._skills[market.name] = (record, record.count, found)
        return last[2]


def spans(desk: Desk) -> list[str]:
    """Return the spans whose columns hold anything: data in 5-minute bars fills no finer ones."""
    _, filled = kept(desk)
    return [span for span, (step, _) in SPANS.items() if step in filled]


def _then(desk: Desk, query: Query) -> list[dict[str, Any]]:
    """Return each venue as its columns tell it: whether it was drawn at a time, and no more."""
    choice = query.choice()
    states = ((m, past.state_at(m, query.at)) for m in desk.estimated())
    return [
        _unheard(m.name, choice) | {"state": state, "oi": None, "share": None}
        for m, state in states
        if state != "unknown"
    ]


def _unheard(name: str, choice: Choice, link: str = "down") -> dict[str, Any]:
    venue = name.partition(":")[0]
    state = "down" if link == "down" else "joining"  # up, and its mark is not known yet
    return {
        "name": venue, "market": name, "on": choice.takes(venue), "age": None, "state": state,
        "oi": 0.0, "share": 0.0,
    }  # fmt: skip


def _status(market: Known, on: bool, now: int, total: float, patient: bool) -> dict[str, Any]:
    age = away(now, market.seen)
    oi = market.estimate.oi
    known = oi > 0
    return {
        "name": market.venue,
        "market": market.name,
        "on": on,
        "age": age,
        "state": "stale" if market.link == "up" and age > STALE and not patient else market.link,
        "oi": oi if known else 0.0,
        "share": oi / total if known else 0.0,
    }


def prior_only(desk: Desk) -> bool:
    """Tell whether no market of the desk has learned from a liquidation yet."""
    return all(m.estimate.prior_only for m in desk.estimated())


def model(desk: Desk, choice: Choice = ALL) -> str:
    """Return what the map of the venues chosen rests on, in words."""
    chosen = [m for m in desk.estimated() if choice.takes(m.venue)]
    if not chosen:
        return ""
    if choice.model == "static":
        return "four fixed leverages, never closed · for comparison only"
    blind = _path_only(chosen)
    words = _weights(chosen)
    if blind:
        where = "here" if len(blind) == len({m.venue for m in chosen}) else f"on {', '.join(blind)}"
        return f"{words} · path only: no volume is known {where}"
    if any(assumed(m, desk.now) for m in chosen):
        return f"{words} · volume partly assumed from the range of price"
    return words


def assumed(market: Known, now: int) -> bool:
    """Tell whether volume of the last day was assumed from the range of price."""
    return bool(market.assumed) and now - market.assumed < DAY


def _weights(chosen: Sequence[Known]) -> str:
    """Return what the weights of markets were learned from, in words."""
    lent = _borrowed(chosen)
    if lent is not None:
        return f"borrowed: learned on {lent.market}, {_month(lent.since)} to {_month(lent.until)}"
    if all(m.estimate.prior_only for m in chosen):
        return "assumed prior, nothing learned"
    reports = _reports(chosen)
    if reports < REPORTS[-1]:
        return f"learning ({reports:.0f} reports)"
    events = sum(m.estimate.events for m in chosen)
    return f"calibrated on {events:,} liquidation reports"


def _month(at: int) -> str:
    """Return the month of the second before a time, such as 2026-03."""
    return datetime.fromtimestamp(at // SECOND - 1, UTC).strftime("%Y-%m")


def _borrowed(chosen: Sequence[Known]) -> Borrowed | None:
    """Return what all of these markets borrow, or nothing where one of them does not."""
    lent = [m.estimate.borrowed for m in chosen if m.estimate.borrows]
    return lent[0] if lent and len(lent) == len(chosen) else None


def _reports(chosen: Sequence[Known]) -> float:
    """Return the effective number of liquidations that markets have learned from."""
    return sum(float(m.estimate.fit.reports) for m in chosen if m.estimate.fit is not None)


def _path_only(chosen: Sequence[Known]) -> list[str]:
    """Return the venues whose map knows where the mark was and of no volume at all."""
    return sorted({m.venue for m in chosen if _without_volume(m.estimate.exposure)})


def _without_volume(exposure: Exposure) -> bool:
    deposited = exposure.ledger[DEPOSITED].sum(axis=0)
    return bool(deposited[TIME * GROUP] > 0 and not deposited[VOLUME * GROUP] > 0)


def fit(desk: Desk, choice: Choice) -> dict[str, Any]:
    """Return the model's version, when it was last fitted, on how much, and what it borrows."""
    chosen = [m for m in desk.estimated() if choice.takes(m.venue)]
    fitted = [m.estimate for m in chosen if m.estimate.fitted]
    newest = max(fitted, key=lambda e: e.fitted, default=None)
    lent = _borrowed(chosen)
    nothing = "the assumed prior alone" if lent is None else f"weights learned on {lent.market}"
    return {
        "version": VERSION,
        "at": newest.fitted if newest else None,
        "taught": newest.taught if newest else 0,
        "why": _why(newest) if newest else f"no liquidation has been seen yet: {nothing}",
        "markets": len(fitted),
        "reports": _reports(chosen),
        "borrowed": None if lent is None else {
            "market": lent.market, "since": lent.since, "until": lent.until,
            "reports": lent.reports,
        },
        "path_only": _path_only(chosen),
    }  # fmt: skip


def _since(rests: dict[str, Any]) -> int:
    """Return from when on a map has rested on this fit, µs."""
    lent = rests["borrowed"]
    return lent["until"] if lent else rests["at"] or 0


def _why(newest: Estimate) -> str:
    """Return why the weights were learned anew, in words."""
    many = newest.taught >= FRESH
    cause = "many liquidations" if many else "six hours had passed"
    return f"{newest.market}: {newest.taught:,} new liquidations ({cause})"


def away(now: int, stands: int) -> float:
    """Return how far from now something stands, s: ahead of time is as wrong as behind it."""
    return abs(now - stands) / SECOND


def tick(price: float) -> float:
    """Return the price increment worth showing: six significant digits, a tenth at most."""
    if not price > 0:
        return 0.01
    return 10.0 ** (min(math.floor(math.log10(price)), 4) - 5)
