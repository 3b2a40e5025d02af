"""The loop that applies events to a desk: live, replayed, played back or simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from powderkeg.desk import Ask, Desk
from powderkeg.events import Event

Watch: TypeAlias = Callable[[Desk, Event], None]


def drive(desk: Desk, events: Iterable[Event], watch: Watch | None = None) -> list[Ask]:
    """Apply events to a desk in their order, and return the requests of the desk.

    Args:
        desk: Of the coin of all events.
        events: In the order in which they were received.
        watch: Called with the desk and each event after it was applied.
    """
    asks: list[Ask] = []
    for event in events:
        asks += desk.apply(event)
        if watch is not None:
            watch(desk, event)
    return asks
