"""The replay loop: applies stored events to a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from powderkeg.desk import Desk
from powderkeg.events import Event
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import Source


def play(
    desk: Desk,
    source: Source,
    *,
    report: ReadReport,
    until: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    watch: Callable[[Desk, Event], None] | None = None,
) -> None:
    """Apply the stored events of the desk's coin, from the desk's position on.

    A desk that already has events continues after as many as it has applied: the stream of a source
    is deterministic, so a desk resumed from a snapshot ends like one that was never stopped.

    Args:
        desk: Fresh, or resumed.
        source: The stored data.
        report: Counts of rows read and rejected.
        until: µs to stop before.
        progress: Called with bytes done and bytes in total.
        watch: Called after each event.
    """
    stream: Iterator[Event] = events(
        source, desk.coin, until=until, report=report, progress=progress, block=desk.settings.flush
    )
    for event in islice(stream, desk.counts.events, None):
        desk.apply(event)
        if watch is not None:
            watch(desk, event)
