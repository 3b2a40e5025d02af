"""The ladder: what rests, what traded and what would be liquidated, row by row of price.

Bids are rounded down to a row and asks up, prints down. A price at which one venue bids and another
asks is shown as it is: an aggregate may be crossed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import HOUR, MINUTE, SECOND, Floats
from powderkeg.flow.books.ladder import ladder, summary
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.books.window import ASK, BID, WIDTH
from powderkeg.flow.tape.traded import step_for
from powderkeg.grid import BIN, price_of
from powderkeg.maps.field_types import Float32Array, OptionalFloat
from powderkeg.maps.flow.flow_view import FlowView, chosen, venue_of
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.maps.heatmap.coin_view import MapFilter, PriceProfile, price_profile
from powderkeg.maps.heatmap.past import price_profile_at
from powderkeg.maps.heatmap.prices import HIGH, LOW
from powderkeg.market.book import Book

LEAST: Final = 1e-9
"""Least height of a row, as a fraction of the price: numbers of finer rows would not be exact."""
TYPICAL_ROWS: Final = 38
"""Rows over which a row that nobody chose spreads the books."""
FINEST, COARSEST = 5e-5, 5e-4
"""Limits of such a row, as fractions of the price."""
PULLED_FOR: Final = 10 * MINUTE
"""µs for which a wall that ended is shown."""
FIRED_WITHIN: Final = HOUR
"""µs for which fuel that has fired is shown."""
FIRED_TIMES: Final = 4
"""Times in it at which the map is read."""
_ROUNDING: Final = 1e-9
_SIDES: Final[tuple[Literal["bid", "ask"], ...]] = ("bid", "ask")


class BookState(Struct, frozen=True):
    """One book of the ladder."""

    market: str
    """Venue and symbol, such as ``binance:BTCUSDT``."""
    state: Literal["live", "waiting", "gap"]
    """Whether it is exact, has not begun, or has lost changes and is requested again."""
    age: float | None
    """Seconds since its last change; null before the first."""
    spread: OptionalFloat
    """Best ask less best bid, quote currency; null where a side is empty."""


class WallRow(Struct, frozen=True):
    """A wall: far more than what usually rests at its distance from the best price."""

    market: str
    """Venue and symbol."""
    side: Literal["bid", "ask"]
    """Side of the book."""
    price: float
    """Its price, quote currency."""
    size: float
    """Size now, base coin; of one that ended its greatest."""
    since: int
    """Time it appeared, µs UTC."""
    traded: float
    """Base coin taken from it."""
    refill: float
    """Base coin added within a second of a trade against it, as a fraction of what traded."""
    state: Literal["standing", "traded", "cancelled", "pulled"]
    """Pulled: cancelled after price had come near. Why cannot be seen."""
    ended: int | None
    """Time it ended, µs UTC; null while it stands."""


class DepthWithin(Struct, frozen=True):
    """Notional resting within a distance of each book's own mid."""

    distance: float
    """Fraction of the mid."""
    bids: float
    """Notional of bids, quote currency."""
    asks: float
    """Notional of asks, quote currency."""
    complete: bool
    """Whether all books reach so far on both sides; else the notional is a lower bound."""


class Ladder(Struct, frozen=True, kw_only=True):
    """Rows of price, rising; each array has one element a row."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row: its price is ``first * step``."""
    rows: int
    """Number of rows."""
    last: OptionalFloat
    """Price of the last trade of the leading market, quote currency."""
    bid: Float32Array
    """Resting bids, base coin."""
    ask: Float32Array
    """Resting asks, base coin."""
    bought: Float32Array
    """Base coin bought by takers within the window."""
    sold: Float32Array
    """Base coin sold by takers within the window."""
    largest: Float32Array
    """Largest print within the window, base coin."""
    stacked: Float32Array
    """Base coin added less base coin cancelled over the last minute, without what traded."""
    fuel_long: Float32Array
    """Longs that would be liquidated, estimated, dollars; empty where the map was left out."""
    fuel_short: Float32Array
    """Shorts that would be liquidated, estimated, dollars; empty where the map was left out."""
    fired_long: Float32Array
    """The most of the last hour, dollars, at prices traded since; empty as the fuel, or unknown."""
    fired_short: Float32Array
    """The same of shorts, dollars; empty as the fuel, or unknown."""
    window: int
    """Seconds over which traded volume is summed."""
    traded_since: int | None
    """Time of the first print counted, µs UTC; null before any."""
    best_bid: OptionalFloat
    """Highest bid of all books, quote currency; null without one."""
    best_ask: OptionalFloat
    """Lowest ask of all books, quote currency; at or below the highest bid where books cross."""
    spread: OptionalFloat
    """Spread of the tightest book, quote currency; null without one."""
    depth: list[DepthWithin]
    """Depth within 0.1, 0.5, 1 and 2 % of the mid."""
    walls: list[WallRow]
    """Walls that stand, longest first, then those of the last ten minutes that ended, newest
    first."""
    books: list[BookState]
    """The books that are added up."""


class Fired(Struct, frozen=True):
    """The map as it was during the last hour, and the prices traded since."""

    past: list[PriceProfile]
    low: float
    """Lowest price, quote currency."""
    high: float
    """Highest price, quote currency."""


def ladder_of(
    flow_view: FlowView, query: LadderQuery, profile: PriceProfile | None = None,
    first: int | None = None, fired: Fired | None = None,
) -> Ladder:  # fmt: skip
    """Return the ladder of a coin.

    Args:
        flow_view: The coin.
        query: Rows and window.
        profile: The map beside the books, see `map_beside`; None leaves it out.
        first: Number of the lowest row; None centres the rows.
        fired: The map of the last hour, see `fired_beside`; None leaves it out.
    """
    books = _books(flow_view, query.venues)
    live = [book for book in books if book.status == "live"]
    mid = _middle(flow_view, live)
    middle = query.centre or (mid if mid > 0 else 0.0)
    step = max(query.row or row_for(live, mid), LEAST * max(middle, mid if mid > 0 else 0.0))
    first = round(middle / step) - query.rows // 2 if first is None else first
    laid = ladder(live, step, first, query.rows, query.align, mid)
    since = max(flow_view.now - query.window * SECOND, 0)
    bought, sold, largest = _traded(flow_view, query, since, first, step)
    figures, fuel = summary(live), _fuel(profile, step, first, query.rows)
    gone = _fired(fired if profile is not None else None, step, first, query.rows)
    return Ladder(
        step=step,
        first=first,
        rows=query.rows,
        last=flow_view.price,
        bid=_narrow(laid.bids.sum(axis=0)),
        ask=_narrow(laid.asks.sum(axis=0)),
        bought=_narrow(bought),
        sold=_narrow(sold),
        largest=_narrow(largest),
        stacked=_narrow(_stacked(flow_view, live, query, first, step, mid)),
        fuel_long=fuel[0],
        fuel_short=fuel[1],
        fired_long=gone[0],
        fired_short=gone[1],
        window=query.window,
        traded_since=_traded_since(flow_view, query.venues, since),
        best_bid=max((book.bid for book in live if not math.isnan(book.bid)), default=math.nan),
        best_ask=min((book.ask for book in live if not math.isnan(book.ask)), default=math.nan),
        spread=figures.spread,
        depth=[
            DepthWithin(
                float(name.removesuffix("%")) / 100, bids, asks, all(figures.complete[name])
            )
            for name, (bids, asks) in figures.within.items()
        ],
        walls=_walls(flow_view, {book.market for book in books}),
        books=[_state(book, flow_view.now) for book in books],
    )


def row_for(books: Sequence[Book], price: float) -> float:
    """Return a round row that spreads the visible books over a screen; NaN without a price.

    The middle of the books counts: some venues show a few basis points, others the whole book.
    """
    if not price > 0:
        return 1.0
    reaches = sorted(_reach(book) for book in books) or [0.0]
    share = 2 * reaches[len(reaches) // 2] / TYPICAL_ROWS
    return step_for(price, min(max(share, FINEST), COARSEST))


def _reach(book: Book) -> float:
    """Return how far a book is visible to either side, as a fraction of its mid."""
    bids, asks = (book.depth(side)[0] for side in ("buy", "sell"))
    if not (len(bids) and len(asks)):
        return 0.0
    return float(min(book.mid - bids[-1], asks[-1] - book.mid) / book.mid)


def _books(flow_view: FlowView, venues: tuple[str, ...]) -> list[Book]:
    """Return the books of chosen venues that have begun."""
    return [
        book
        for book in flow_view.books()
        if book.status != "cold" and (not venues or venue_of(book.market) in venues)
    ]


def _middle(flow_view: FlowView, live: Sequence[Book]) -> float:
    """Return the last price, or the mid of the first book where nothing traded yet."""
    mids = [book.mid for book in live if math.isfinite(book.mid)]
    return flow_view.price if flow_view.price > 0 else next(iter(mids), math.nan)


def _state(book: Book, now: int) -> BookState:
    state: Literal["live", "waiting", "gap"] = "live" if book.status == "live" else "gap"
    if book.status == "buffering":
        state = "waiting"
    age = (now - book.at) / SECOND if book.at else None
    return BookState(book.market, state, age, book.ask - book.bid)


def _traded(
    flow_view: FlowView, query: LadderQuery, since: int, first: int, step: float
) -> tuple[Floats, Floats, Floats]:
    bought, sold, largest = np.zeros((3, query.rows))
    for market in chosen(flow_view, query.venues):
        if market.traded is not None:
            rows = market.traded.rows(since, first, query.rows, step)
            bought += rows.bought
            sold += rows.sold
            largest = np.maximum(largest, rows.largest)
    return bought, sold, largest


def _traded_since(flow_view: FlowView, venues: tuple[str, ...], since: int) -> int | None:
    anchors = [m.cvd.anchor for m in chosen(flow_view, venues) if m.cvd.anchor]
    return max(min(anchors), since) if anchors else None


def _stacked(
    flow_view: FlowView, live: Sequence[Book], query: LadderQuery, first: int, step: float,
    mid: float,
) -> Floats:  # fmt: skip
    """Return pull and stack by row, over both sides of the books."""
    flow, out = flow_view.flow, np.zeros(query.rows)
    for book in live:
        if book.market not in flow.books:
            continue
        number = flow.books.index(book.market)
        net = flow.stacking.net(number, flow_view.now)
        prices = (flow.window.base[number] + np.arange(WIDTH)) * flow.window.steps[number]
        places = prices * (mid / book.mid if query.align == "distance" else 1.0) / step
        for side, rows in ((BID, np.floor(places + _ROUNDING)), (ASK, np.ceil(places - _ROUNDING))):
            at = rows.astype(np.int64) - first
            inside = (at >= 0) & (at < query.rows)
            out += np.bincount(at[inside], net[side][inside], query.rows)
    return out


def _walls(flow_view: FlowView, markets: set[str]) -> list[WallRow]:
    flow = flow_view.flow
    standing = [_wall(flow_view, wall, None) for wall in flow.walls.standing()]
    ended = [
        _wall(flow_view, wall, at)
        for at, wall in reversed(flow.ended)
        if flow_view.now - at <= PULLED_FOR
    ]
    rows = sorted(standing, key=lambda row: row.since) + ended
    return [row for row in rows if row.market in markets]


def _wall(flow_view: FlowView, wall: Wall, ended: int | None) -> WallRow:
    flow = flow_view.flow
    return WallRow(
        market=flow.books[wall.book],
        side=_SIDES[wall.side],
        price=wall.step * float(flow.window.steps[wall.book]),
        size=wall.size if ended is None else wall.peak,
        since=wall.since,
        traded=wall.traded,
        refill=wall.refill,
        state=wall.end or "standing",
        ended=ended,
    )


def map_beside(flow_view: FlowView, venues: tuple[str, ...]) -> PriceProfile | None:
    """Return the map of chosen venues; None where none of them has one, such as spot alone."""
    leveraged = {market.venue for market in flow_view.estimated()}
    mapped = tuple(venue for venue in venues if venue in leveraged)
    return None if venues and not mapped else price_profile(flow_view, MapFilter(mapped))


def fired_beside(flow_view: FlowView, venues: tuple[str, ...]) -> Fired | None:
    """Return the map of the last hour; None where its prices are not known.

    It is read from the columns of four times, so what came and went between two is missed.
    """
    until = max(flow_view.now - 1, 0) // MINUTE
    candles = flow_view.prices[MINUTE].window(until, FIRED_WITHIN // MINUTE)
    known = candles[~np.isnan(candles[:, LOW])]
    if not len(known):
        return None
    leveraged = {market.venue for market in flow_view.estimated()}
    map_filter = MapFilter(tuple(venue for venue in venues if venue in leveraged))
    ages = (FIRED_WITHIN * n // FIRED_TIMES for n in range(1, FIRED_TIMES + 1))
    past = [price_profile_at(flow_view, map_filter, flow_view.now - age) for age in ages]
    return Fired(past, float(known[:, LOW].min()), float(known[:, HIGH].max()))


def ladder_beside(
    flow_view: FlowView, venues: tuple[str, ...]
) -> tuple[PriceProfile | None, Fired | None]:
    """Return the map beside a ladder, now and during the last hour."""
    return map_beside(flow_view, venues), fired_beside(flow_view, venues)


def _fired(
    fired: Fired | None, step: float, first: int, rows: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the most that stood at each row of the last hour, where price has been since."""
    if fired is None:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    edges = (first + np.arange(rows + 1)) * step
    traded = (edges[1:] > fired.low) & (edges[:-1] <= fired.high)
    each = [_fuel(profile, step, first, rows) for profile in fired.past]
    long, short = (np.max([sides[n] for sides in each], axis=0) for n in range(2))
    return _narrow(long * traded), _narrow(short * traded)


def _fuel(
    profile: PriceProfile | None, step: float, first: int, rows: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a map on the rows of a ladder; a bin is split where the edge of a row cuts it."""
    if profile is None:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    prices = np.maximum((first + np.arange(rows + 1)) * step, price_of(profile.base - 1))
    places = np.clip(np.log(prices) / BIN - profile.base, 0, profile.dollars.shape[2])
    long, short = (_between(side, places) for side in profile.by_side())
    return long, short


def _between(side: Floats, places: Floats) -> NDArray[np.float32]:
    running = np.concatenate(([0.0], np.cumsum(side)))
    return np.diff(np.interp(places, np.arange(len(running)), running)).astype(np.float32)


def _narrow(values: Floats) -> NDArray[np.float32]:
    return values.astype(np.float32)
