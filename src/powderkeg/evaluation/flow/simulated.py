"""Precision, recall and false alarms of order-flow reads in a simulated market with book actors.

The market publishes prints and books of all its venues; reads see nothing else. They are scored
against what the actors did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from powderkeg.evaluation.flow.scores import Score, episodes
from powderkeg.events import HOUR, MINUTE, SECOND, BookSnapshot, Event, Trades
from powderkeg.flow.books.absorption import Pressure
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.books.window import ASK, BID
from powderkeg.flow.coin import FRAME, CoinFlow
from powderkeg.flow.thresholds import DEFAULT
from powderkeg.market.book import Book
from powderkeg.sim import DEMO, SimulatedMarket, World
from powderkeg.sim.actors.records import RestingOrder

WORLD: Final[World] = replace(DEMO["BTC"], warm=0.5, book_every=FRAME / SECOND)
START: Final = 1_700_006_400_000_000
LENGTH: Final = 20 * MINUTE
SEEDS: Final = 100
"""First of the seeds that no size or rate of an actor was chosen on."""
WARM: Final = 120 * SECOND
"""Reads are scored from here on: what is usual is not known before."""
_SLACK: Final = 3 * FRAME
"""How far a wall's beginning may be from the truth."""


class Held(Struct, frozen=True):
    """A time in which an actor's order held the price against takers."""

    start: int
    stop: int
    side: int
    """Side that is pressed: 0 bids by sellers, 1 asks by buyers."""
    market: str


class Played(Struct):
    """What was read of a simulated market."""

    market: SimulatedMarket
    flow: CoinFlow
    stood: dict[tuple[int, int, int, int], Wall]
    """Every wall by book, side, step and beginning, as last seen standing."""
    ended: list[Wall]
    pressures: list[Pressure]

    @property
    def hours(self) -> float:
        """Length of what is scored, of one market."""
        return (self.market.now - START - WARM) / HOUR

    @property
    def since(self) -> int:
        """Time from which reads are scored, µs."""
        return START + WARM


def play(seed: int, length: int = LENGTH, world: World = WORLD) -> Played:
    """Read a simulated market for `length` µs."""
    played = Played(SimulatedMarket(world, seed, START), CoinFlow(), {}, [], [])
    books = {market: Book(market) for market in world.markets}
    while played.market.now < START + length:
        for event in played.market.step(FRAME / SECOND):
            _add(played.flow, books, event)
        _keep(played)
    return played


def _add(flow: CoinFlow, books: dict[str, Book], event: Event) -> None:
    """Give an event to the reads. A book at the end of a frame belongs to that frame."""
    if isinstance(event, Trades):
        flow.advance(event.event_time - 1, books.values())
        flow.add_trades(event.market, event)
    elif isinstance(event, BookSnapshot):
        flow.advance(event.event_time - 1, books.values())
        book = books[event.market]
        book.apply(event)


def _keep(played: Played) -> None:
    """Keep what the flow remembers only for a while."""
    flow = played.flow
    played.stood |= {(w.book, w.side, w.step, w.since): w for w in flow.walls.standing()}
    played.ended += [wall for _, wall in flow.ended]
    played.pressures += flow.pressures
    flow.ended.clear()
    flow.pressures.clear()


def scores(seeds: Iterable[int], length: int = LENGTH) -> dict[str, Score]:
    """Return the scores of all reads by name, over one market a seed."""
    out: dict[str, Score] = {}
    for seed in seeds:
        played = play(seed, length)
        each = {
            "walls": _score(played, _large(played), list(played.stood.values())),
            "pulled_walls": _score(
                played,
                [order for order in _large(played) if order.end == "pulled"],
                [wall for wall in played.ended if wall.end == "pulled"],
            ),
            "absorption": _absorption(played),
        }
        out = {name: score.plus(out[name]) if out else score for name, score in each.items()}
    return out


def report(seeds: Iterable[int], length: int = LENGTH) -> dict[str, float]:
    """Return precision, recall and false alarms an hour of each read."""
    return {
        f"{name}_{figure}": round(float(getattr(score, figure)), 4)
        for name, score in scores(seeds, length).items()
        for figure in ("precision", "recall", "false_alarms")
    }


def _market(order: RestingOrder) -> str:
    return f"{order.venue}:{WORLD.symbol}"


def _large(played: Played) -> list[RestingOrder]:
    """Return the walls, pulled or not, that stood long enough to be one."""
    least = DEFAULT.walls.persist + 2 * FRAME
    return [
        order
        for order in played.market.actors.labels.orders
        if order.kind in {"wall", "pulled"}
        and order.placed >= played.since
        and (order.ended or played.market.now) - order.placed >= least
    ]


def _is(played: Played, order: RestingOrder, wall: Wall) -> bool:
    """Return whether a wall is this order."""
    side = BID if order.side == "buy" else ASK
    if (_market(order), side) != (played.flow.books[wall.book], wall.side):
        return False
    step = played.flow.window.steps_of(wall.book, side, np.array([order.price]))[0]
    until = order.ended or played.market.now
    return step == wall.step and order.placed - _SLACK <= wall.since <= until + _SLACK


def _score(played: Played, orders: list[RestingOrder], walls: list[Wall]) -> Score:
    found = [wall for wall in walls if wall.since >= played.since]
    true = [wall for wall in found if any(_is(played, order, wall) for order in orders)]
    met = [order for order in orders if any(_is(played, order, wall) for wall in found)]
    return Score(len(found), len(true), len(orders), len(met), played.hours)


def _held(order: RestingOrder) -> Held:
    side = BID if order.side == "buy" else ASK
    return Held(order.first_taken, order.last_taken, side, _market(order))


def _absorption(played: Played) -> Score:
    """Score absorption: wanted where an order absorbed a burst, right while any order held price.

    What one venue's order takes is missing from no other venue's book, so these refill too.
    """
    labels = played.market.actors.labels
    known = [_held(order) for order in labels.orders if order.first_taken]
    wanted = [
        _held(flow.absorber)
        for flow in labels.flows
        if flow.absorber and flow.start >= played.since and flow.stop <= played.market.now
    ]
    found = right = 0
    met: set[int] = set()
    for book in {read.book for read in played.pressures}:
        reads = [r for r in played.pressures if r.book == book and r.time >= played.since]
        for episode in episodes(reads):
            found += 1
            right += any(episode.meets(held) for held in known)
            at = played.flow.books[book]
            met |= {h.start for h in wanted if h.market == at and episode.meets(h)}
    return Score(found, right, len(wanted), len(met), played.hours)
