"""From ladder state to published data: units, rounding, stamps, censoring, the visible book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import SECOND, BookSnapshot, Floats, Level, Liquidation, Times
from powderkeg.sim.actors.records import ShownOrder
from powderkeg.sim.kernel.book import SHAPE
from powderkeg.sim.kernel.positions import trigger_price
from powderkeg.sim.kernel.state import (
    BASE,
    CENTRE,
    CLOSED,
    STAGED,
    TICK,
    Params,
    Reals,
    Records,
    State,
    Whole,
)
from powderkeg.sim.records import Forced, Ladder, LiquidationRecords, Tape, Truth
from powderkeg.sim.world import World

_FLICKER: Final = 20
"""Seconds for which a level shows the same lot of orders."""
_CENSOR: Final = "binance"
_THINNEST: Final = 0.002
"""An emptied level still shows this share of its full size."""


class Units(Struct, frozen=True):
    """Conversion from the agents' coin to the world's coin."""

    price: float
    size: float
    tick: float
    digits: int

    @classmethod
    def of(cls, world: World) -> Units:
        """Return the units of a world."""
        ratio = world.price / BASE
        digits = max(0, -math.floor(math.log10(world.tick) + 1e-9)) + 1
        return cls(ratio, world.scale / ratio, world.tick, digits)

    def at(self, rungs: Reals) -> Floats:
        """Return the prices of rungs, rounded to the tick."""
        return self.prices(BASE * np.exp((rungs - CENTRE) * TICK))

    def prices(self, base: Floats) -> Floats:
        """Return base prices converted to the coin, rounded to the tick."""
        return np.round(np.round(base * (self.price / self.tick)) * self.tick, self.digits)


def stamps(steps: Whole, since: int, length: int) -> Times:
    """Return times for rows that carry only the number of their step: spread evenly inside it.

    Args:
        steps: Rising, shape (n,).
        since: µs at which step 0 begins.
        length: µs of a step.
    """
    first = np.searchsorted(steps, steps, side="left")
    past = np.searchsorted(steps, steps, side="right")
    place = (np.arange(steps.size) - first + 1) / (past - first + 1)
    return since + steps * length + (place * length).astype(np.int64)


def tape_of(rows: Records, units: Units, since: int, length: int) -> Tape:
    """Return one venue's prints."""
    return Tape(
        times=stamps(rows["step"], since, length),
        prices=units.prices(rows["price"]),
        sizes=rows["size"] * units.size,
    )


def forced_of(rows: Records, units: Units, since: int, length: int, censored: bool) -> Forced:
    """Return one venue's forced closes, where censored only the latest of each second."""
    times = stamps(rows["step"], since, length)
    keep = np.ones(times.size, np.bool_)
    if censored and times.size:
        keep[:-1] = np.diff(times // SECOND) > 0
    return Forced(
        times=times[keep],
        holders=rows["side"][keep],
        sizes=rows["size"][keep] * units.size,
        fills=units.prices(rows["fill"][keep]),
        bankruptcies=units.prices(rows["bankruptcy"][keep]),
    )


def censored(world: World, venue: str) -> bool:
    """Return whether a venue of a world reports only one liquidation a second."""
    return world.censor and venue == _CENSOR


def liquidations_of(market: str, forced: Forced) -> list[Liquidation]:
    """Return forced closes as events, at the bankruptcy price."""
    columns = zip(
        forced.times.tolist(),
        forced.holders.tolist(),
        forced.sizes.tolist(),
        forced.bankruptcies.tolist(),
        strict=True,
    )
    return [
        Liquidation(market, at, at, price, size, "long" if side > 0 else "short", True)
        for at, side, size, price in columns
    ]


def liquidation_records_of(
    rows: Records, units: Units, since: int, length: int
) -> LiquidationRecords:
    """Return all forced closes with their hidden columns, prices not rounded."""
    return LiquidationRecords(
        times=stamps(rows["step"], since, length),
        venues=rows["venue"].copy(),
        sides=rows["side"].copy(),
        sizes=rows["size"] * units.size,
        fills=rows["fill"] * units.price,
        bankruptcies=rows["bankruptcy"] * units.price,
        triggers=rows["trigger"] * units.price,
        marks=rows["mark"] * units.price,
        entries=rows["entry"] * units.price,
        margins=rows["margin"] * (units.size * units.price),
        held=rows["held"] * units.size,
        settings=rows["leverage"].copy(),
        opened=(rows["opened"] * SECOND).astype(np.int64),
    )


def truth_of(m: State, units: Units, at: int) -> Truth:
    """Return every open position."""
    venues = m["venues"][: m["count"]]
    rows = m["positions"]
    rows = rows[rows["status"] != CLOSED]
    positions: Records = SimpleNamespace(**{name: rows[name] for name in rows.dtype.names})
    prices: Records = trigger_price.py_func(positions)
    in_front = positions.side * (positions.stop - positions.trigger) > 0
    return Truth(
        at=at,
        marks=BASE * units.price * np.exp((venues["mark"] - CENTRE) * TICK),
        oi=venues["oi"] * units.size,
        makers=m["makers"][: m["count"]] * units.size,
        prices=prices * units.price,
        sizes=positions.size * units.size,
        sides=positions.side.astype(np.int64),
        leverages=positions.entry * positions.size / (positions.margin + positions.extra),
        settings=positions.leverage,
        stop_in_front=((positions.stop >= 0) & in_front).astype(np.int64),
        staged=(positions.status == STAGED).astype(np.int64),
        venues=positions.venue.astype(np.int64),
        entries=positions.entry * units.price,
        serials=positions.serial.astype(np.int64),
    )


def _lots(rungs: NDArray[np.int64], venue: int, at: int) -> Floats:
    """Return a number in [0.5, 1.5) per rung that changes every few seconds, deterministically."""
    with np.errstate(over="ignore"):
        z = rungs.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z ^= np.uint64((venue + 1) * 0x94D049BB133111EB % 2**64)
        z += np.uint64(at // (_FLICKER * SECOND)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)
    return 0.5 + (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _resting(m: State, params: Params, rungs: NDArray[np.int64], venue: int, at: int) -> Floats:
    """Return the size one venue shows at rungs: its share of what is not consumed."""
    start = round(float(m["mid"]))
    full = params["depth"] * float(m["thin"]) * SHAPE[np.abs(rungs - start)]
    age = (at * 1e-6 - m["eaten_at"][rungs]) / params["refill"]
    eaten = m["eaten"][rungs] * np.exp(-np.minimum(age, 700.0))
    share = params["shares"][venue] - (params["shares"][venue - 1] if venue else 0.0)
    shown: Floats = np.maximum(full - eaten, _THINNEST * full) * share * _lots(rungs, venue, at)
    return shown


def _levels(prices: Floats, sizes: Floats, count: int) -> tuple[Level, ...]:
    """Return levels best first; rungs that fall on one price are one level."""
    out: dict[float, float] = {}
    for price, size in zip(prices.tolist(), sizes.tolist(), strict=True):
        out[price] = out.get(price, 0.0) + size
    return tuple(out.items())[:count]


def _touch(mid: float, units: Units, orders: Sequence[ShownOrder]) -> tuple[float, float]:
    """Return best bid and ask: the ticks around last, none better than an actor's order behind."""
    middle = BASE * units.price * math.exp((mid - CENTRE) * TICK)
    bid = math.floor(middle / units.tick) * units.tick
    bid = max([bid, *(order.price for order in orders if order.side < 0)])
    asks = [order.price for order in orders if order.side > 0]
    bid = min([bid, *(price - units.tick for price in asks)])
    return bid, bid + units.tick


def _add_orders(
    sizes: Floats, mid: float, venue: int, sign: int, orders: Sequence[ShownOrder]
) -> None:
    """Add one venue's orders of a side to its levels, a rung each from last on."""
    for order in orders:
        place = sign * (order.rung - round(mid))
        if (order.venue, order.side) == (venue, sign) and 0 <= place < sizes.size:
            sizes[place] += order.size


def book_of(
    m: State, params: Params, units: Units, market: str, venue: int, at: int, count: int,
    orders: Sequence[ShownOrder] = (),
) -> BookSnapshot:  # fmt: skip
    """Return the visible book of one venue: the touch, then a level every half basis point.

    Args:
        m: The market.
        params: Its parameters.
        units: Its units.
        market: Id of the venue's market.
        venue: Index of the venue.
        at: µs.
        count: Levels of each side.
        orders: The orders of book actors, of all venues.
    """
    mid = float(m["mid"])
    best_bid, best_ask = _touch(mid, units, orders)
    near = np.arange(count * 2)
    sides: list[tuple[Level, ...]] = []
    for sign, best in ((-1, best_bid), (1, best_ask)):
        rungs = round(mid) + sign * near
        clip = np.minimum if sign < 0 else np.maximum
        prices = clip(units.at(rungs.astype(np.float64)), round(best, units.digits))
        sizes = _resting(m, params, rungs, venue, at) * units.size
        _add_orders(sizes, mid, venue, sign, orders)
        sides.append(_levels(prices, sizes, count))
    return BookSnapshot(market, at, at, sides[0], sides[1], at)


def ladder_of(
    m: State, params: Params, units: Units, at: int, levels: int, orders: Sequence[ShownOrder] = ()
) -> Ladder:
    """Return the depth at `levels` rungs either side, of all venues together."""
    mid = float(m["mid"])
    bid = round(_touch(mid, units, orders)[0], units.digits)
    near = np.arange(levels)
    full = params["depth"] * float(m["thin"]) * units.size
    sides: list[tuple[Floats, Floats]] = []
    for sign in (-1, 1):
        rungs = round(mid) + sign * near
        age = (at * 1e-6 - m["eaten_at"][rungs]) / params["refill"]
        eaten = m["eaten"][rungs] * np.exp(-np.minimum(age, 700.0)) * units.size
        rests = np.maximum(full * SHAPE[near] - eaten, _THINNEST * full)
        sides.append((units.at(rungs.astype(np.float64)), rests))
    ask = round(bid + units.tick, units.digits)
    return Ladder(bid, ask, *sides[0], *sides[1], tuple(orders))


def causes_of(tape: Records, liquidation_rows: Records) -> Whole:
    """Return for each print the row of the forced close that caused it, or -1; in order, once each.

    Both were written by one call of the kernel, so step, venue, price and size are equal bits.
    """
    causes = np.full(tape.size, -1, np.int64)
    if not liquidation_rows.size:
        return causes
    rows: dict[tuple[object, ...], list[int]] = {}
    for i, row in enumerate(liquidation_rows):
        key = (row["step"], row["venue"], row["fill"], -row["side"] * row["size"])
        rows.setdefault(tuple(x.item() for x in key), []).append(i)
    for k, row in enumerate(tape):
        key = tuple(row[name].item() for name in ("step", "venue", "price", "size"))
        found = rows.get(key)
        if found:
            causes[k] = found.pop(0)
    return causes
