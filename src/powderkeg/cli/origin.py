"""Sources of answers for `powderkeg map`: a server, stored data, or a simulated market."""

from __future__ import annotations

import math
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from powderkeg.cli.serve import PORT
from powderkeg.desk import Desk
from powderkeg.errors import ConfigError, RequestError
from powderkeg.events import MINUTE
from powderkeg.feed.decoder import Feed
from powderkeg.feed.drive import drive
from powderkeg.history import snapshots, sources
from powderkeg.history.replay import remaining
from powderkeg.history.series.report import ReadReport
from powderkeg.live.maintenance import resume
from powderkeg.live.timekeeping.clock import now as clock
from powderkeg.log import get_logger
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import MSGPACK, pack, read_query
from powderkeg.serve.session import Session
from powderkeg.serve.startup.simulated import prepare
from powderkeg.serve.startup.up import SEED
from powderkeg.settings import LIVE, Settings
from powderkeg.sim import DEMO
from powderkeg.store.folder import Store

log = get_logger("cli")

Answers = dict[str, dict[str, Any]]
"""Decoded answers, by view."""
Queries = dict[str, dict[str, str]]
"""Query parameters, by view."""
DEFAULT: Final = f"http://127.0.0.1:{PORT}"
DAYS: Final = 5.0
"""Days of history of a simulated market."""


class Where(Struct, frozen=True):
    """Possible sources of answers; one that is given explicitly is the only one tried."""

    source: Path | None
    snapshot: Path | None
    url: str
    data: Path
    """Folder of recordings, used if no server answers."""
    simulate: bool


def find(coin: str, wanted: Queries, moment: int, where: Where) -> tuple[str, Answers]:
    """Return a description of the source, and the answers.

    Args:
        coin: Such as BTC.
        wanted: The views.
        moment: Time to show, µs UTC; 0 is now.
        where: The possible sources.

    Raises:
        ConfigError: No source was given or found.
        RequestError: The source has no such coin or time.
    """
    if where.url:
        return f"from the server at {where.url}", ask(where.url, coin, _at(wanted, moment))
    if where.snapshot:
        return _from_desk(snapshots.load(where.snapshot), coin, wanted, moment, where.snapshot)
    if where.source:
        desk = Desk(coin)
        report = ReadReport()
        drive(
            desk, remaining(desk, sources.load(where.source), report=report, until=moment or None)
        )
        _require_price(desk, where.source, report)
        return _from_desk(desk, coin, wanted, 0, where.source)
    if where.simulate:
        return "a simulated market", _simulated(coin, wanted, moment)
    return _running(coin, wanted, moment, where.data)


def _require_price(desk: Desk, source: Path, report: ReadReport) -> None:
    """Raise if a source has no price, saying where one is published."""
    if math.isnan(desk.price):
        found = ", ".join(kind.replace("_", " ") for kind in report.kinds) or "no rows"
        raise ConfigError(
            f"{source}: expected a price of {desk.coin}, found {found}; add candles, trades or "
            "marks of a futures market (Binance publishes them as klines, aggTrades and "
            "markPriceKlines under data/futures/um)"
        )


def _running(coin: str, wanted: Queries, moment: int, data: Path) -> tuple[str, Answers]:
    """Ask the local server, or else read the stored recordings."""
    try:
        return f"from the server at {DEFAULT}", ask(DEFAULT, coin, _at(wanted, moment))
    except ConfigError as why:
        silent = why
    if not (data / "meta.db").exists():
        raise ConfigError(
            f"expected a running powderkeg at {DEFAULT} or recordings in {data}, found neither "
            f"({silent}); start `powderkeg up`, or add --url, --data, --source, --snapshot or "
            "--simulate"
        )
    desk = _stored(data, coin)
    return _from_desk(desk, coin, wanted, moment, data)


def _stored(data: Path, coin: str) -> Desk:
    """Return the desk of a coin at the end of the recordings in a folder."""
    feed, store = Feed({coin: Desk(coin, LIVE)}), Store(data, write=False)
    try:
        if why := resume(store, feed):
            if not feed.seq:
                raise ConfigError(f"{data}: {why}")
            log.warning("history_incomplete", reason=why)
    finally:
        store.close()
    return feed.desks[coin]


def _from_desk(
    desk: Desk, coin: str, wanted: Queries, moment: int, path: Path
) -> tuple[str, Answers]:
    session = Session("replay", {desk.coin: desk}, clock)
    return f"from stored data: {path}", _answers(session, coin, _at(wanted, moment))


def _simulated(coin: str, wanted: Queries, moment: int) -> Answers:
    if coin not in DEMO:
        raise ConfigError(f"expected a simulated coin of {', '.join(DEMO)}, found {coin}")
    desk = prepare(coin, SEED, clock() // MINUTE * MINUTE, DAYS, Settings())[1]
    return _answers(Session("simulated", {coin: desk}, clock), coin, _at(wanted, moment))


def _answers(session: Session, coin: str, wanted: Queries) -> Answers:
    return {
        name: msgspec.msgpack.decode(
            pack(session.answer(coin, name, read_query(query, VIEWS[name][0])))
        )
        for name, query in wanted.items()
    }


def _at(wanted: Queries, moment: int) -> Queries:
    """Return queries at a time, µs; 0 is now."""
    return {k: v | ({"at": str(moment)} if moment else {}) for k, v in wanted.items()}


def ask(url: str, coin: str, wanted: Queries) -> Answers:
    """Return the views of a running server.

    Raises:
        ConfigError: It does not answer.
        RequestError: It refuses the request.
    """
    return {name: get(url, f"{coin}/{name}", query) for name, query in wanted.items()}


def get(url: str, path: str, query: dict[str, str]) -> dict[str, Any]:
    """Return the answer of a running server at a path below /v1/.

    Raises:
        ConfigError: It does not answer.
        RequestError: It refuses the request.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"expected an http address, found {url}")
    request = urllib.request.Request(  # noqa: S310  the scheme was checked
        f"{url.rstrip('/')}/v1/{path}?{urllib.parse.urlencode(query)}", headers={"accept": MSGPACK}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return msgspec.msgpack.decode(answer.read())
    except urllib.error.HTTPError as why:
        raise RequestError(f"{url}: {why.read().decode()}") from why
    except OSError as why:
        raise ConfigError(f"expected powderkeg to answer at {url}: {why}") from why
