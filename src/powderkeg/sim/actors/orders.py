"""Resting orders of book actors in the kernel's book: placed, refilled, taken, removed."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.sim.actors.records import OrderEnd, RestingOrder, ShownOrder
from powderkeg.sim.kernel.state import RESTING, State

_EMPTY = 1e-9
"""Share of an order's size below which nothing is left of it."""


class ActiveOrder(Struct):
    """A resting order that stands. Sizes of the agents' coin, distances in rungs."""

    record: RestingOrder
    row: int
    """In the kernel's `resting`."""
    rung: int
    side: int
    """1 for an ask, -1 for a bid."""
    venue: int
    size: float
    """When placed, with what it refills from."""
    peak: float
    """Most that it shows."""
    until: int
    """µs at which it is cancelled at the latest."""
    near: float = -1.0
    """Distance from last within which it is cancelled; below 0 for never."""
    left: float = 0.0
    shown: float = 0.0

    def distance(self, mid: float) -> float:
        """Return how far behind last it stands."""
        return self.side * (self.rung - mid)


class OrderBook:
    """The resting orders that stand, and the kernel's rows of them."""

    __slots__ = ("orders",)

    def __init__(self) -> None:
        self.orders: list[ActiveOrder] = []

    @property
    def full(self) -> bool:
        """Whether there is no room for another order."""
        return len(self.orders) >= RESTING

    def free_row(self) -> int:
        """Return the lowest unused row."""
        used = {order.row for order in self.orders}
        return next(row for row in range(RESTING) if row not in used)

    def place(self, m: State, order: ActiveOrder) -> None:
        """Put an order into the kernel's book."""
        order.left, order.shown = order.size, order.peak
        row = m["resting"][order.row]
        for name, value in (
            ("size", order.size), ("hedged", 0.0), ("rung", order.rung), ("venue", order.venue),
            ("side", order.side),
        ):  # fmt: skip
            row[name] = value
        m["resting_at"][order.rung] = order.row + 1
        m["standing"] = 1
        self.orders.append(order)

    def remove(self, m: State, order: ActiveOrder, end: OrderEnd, now: int) -> None:
        """Take an order out of the book and write into its record how it ended."""
        m["resting"][order.row]["size"] = 0.0
        m["resting_at"][order.rung] = 0
        self.orders.remove(order)
        m["standing"] = int(bool(self.orders))
        order.record.ended, order.record.end = now, end

    def settle(self, m: State, now: int) -> None:
        """Read what was taken from each order in the tick; remove those of which nothing is left.

        What was taken of the part shown is missing until the end of the next tick, and then shown
        again as long as there is anything left.
        """
        for order in list(self.orders):
            left = float(m["resting"][order.row]["size"])
            taken, order.left = order.left - left, left
            if taken > 0:
                order.record.traded = order.record.size * (1 - left / order.size)
                order.record.first_taken = order.record.first_taken or now
                order.record.last_taken = now
            order.shown = min(max(order.peak - taken, 0.1 * order.peak), left)
            if left <= _EMPTY * order.size:
                order.record.traded = order.record.size
                self.remove(m, order, "traded", now)

    def shown(self) -> list[ShownOrder]:
        """Return what is in the published books."""
        return [
            ShownOrder(
                each.venue, each.side, each.rung, each.record.price,
                each.record.shown * each.shown / each.peak,
            )
            for each in self.orders
        ]  # fmt: skip

    def clear_near(self, mid: float, side: int, reach: float) -> bool:
        """Return whether no order of a side stands within so many rungs of last."""
        return all(each.side != side or each.distance(mid) > reach for each in self.orders)
