"""What book actors did: labels that order-flow reads are scored against. No venue publishes them.

Prices and sizes are those of the published coin, times µs UTC.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from powderkeg.events import Side

OrderKind: TypeAlias = Literal["wall", "pulled", "absorber", "refill"]
"""A wall rests; a pulled one is cancelled once price is near; an absorber meets a burst of takers
and refills until it is over; a refill is a small order that refills without one."""
OrderEnd: TypeAlias = Literal["traded", "pulled", "cancelled"]
TakerKind: TypeAlias = Literal["burst", "large_print"]


class RestingOrder(Struct):
    """One resting order and what became of it."""

    kind: OrderKind
    venue: str
    side: Side
    """Its own side: `buy` for a bid."""
    price: float
    size: float
    """Base coin, with what it refills from."""
    shown: float
    """Most that it shows at a time, base coin."""
    placed: int
    traded: float = 0.0
    """Base coin taken from it so far."""
    first_taken: int = 0
    """When takers first reached it; 0 where none did."""
    last_taken: int = 0
    ended: int = 0
    """0 while it stands."""
    end: OrderEnd | None = None


class TakerFlow(Struct):
    """A burst of takers of one side at all venues, or a single large market order."""

    kind: TakerKind
    side: Side
    """Side of the takers."""
    start: int
    stop: int
    size: float
    """Base coin; of a burst what it is expected to take."""
    venue: str = ""
    """Of a large print; a burst is at all venues."""
    absorber: RestingOrder | None = None
    """The order that met a burst."""


class Labels(Struct):
    """Everything book actors did, in order of time."""

    orders: list[RestingOrder]
    flows: list[TakerFlow]


class ShownOrder(Struct, frozen=True):
    """What a resting order shows now."""

    venue: int
    """Index in `World.venues`."""
    side: int
    """1 for an ask, -1 for a bid."""
    rung: int
    price: float
    size: float
