"""The replay loop: stored events through a desk. The live loop is the same with another source."""

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
    """Play what is stored of the desk's coin, from where the desk stands.

    A desk that already holds events goes on after as many as it has taken: the stream of a source
    is always the same, so a desk resumed from a snapshot ends as one that was never stopped.

    Args:
        desk: Fresh, or resumed.
        source: The stored data.
        report: Counts of rows read and refused.
        until: µs to stop before.
        progress: Told bytes done and bytes in all.
        watch: Called after each event.
    """
    stream: Iterator[Event] = events(
        source, desk.coin, until=until, report=report, progress=progress, block=desk.settings.flush
    )
    for event in islice(stream, desk.counts.events, None):
        desk.apply(event)
        if watch is not None:
            watch(desk, event)
