"""State of a collector as a plain record: for the API, Prometheus, the page and doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from powderkeg.events import SECOND
from powderkeg.live.timekeeping.clock import now

if TYPE_CHECKING:
    from powderkeg.live.collector import Collector


def report(collector: Collector) -> dict[str, Any]:
    """Return rates, lags, states, problems and counts."""
    at = now()
    status = collector.status
    incidents: dict[str, dict[str, int]] = {}
    for (venue, what), count in sorted(status.counts.items()):
        incidents.setdefault(venue, {})[what] = count
    return {
        "at": at,
        "hosts": collector.hosts,
        "markets": dict(status.states),
        "channels": status.rows(at),
        "venues": {name: _venue(collector, name, at) for name in collector.rests},
        "incidents": incidents,
        "problems": dict(status.problems),
        "lag": {"recent": collector.loop_lag.recent, "worst": collector.loop_lag.worst},
        "waiting_frames": collector.inbox.size,
        "recorded_frames": collector.store.last if collector.store else 0,
        "recording": collector.recording and not collector.failed,
        "unread_frames": sum(collector.feed.unread.values()),
        "unread": dict(collector.feed.unread),
        "last_unread": collector.feed.last_unread,
    }


def _venue(collector: Collector, name: str, at: int) -> dict[str, Any]:
    """Return one venue's clock, rate limits, and how completely it reports liquidations."""
    rest = collector.rests[name]
    offset = collector.status.offsets.get(name)
    skew = offset.skew if offset else None
    delay = offset.delay(at) if offset else None
    reader = collector.feed.readers.get(name)
    return {
        "skew": None if skew is None else skew / SECOND,
        "delay": None if delay is None else delay / SECOND,
        "weight_used": rest.used(),
        "weight_limit": rest.venue.limits.weight,
        "window": rest.venue.limits.window / SECOND,
        "liquidations": rest.venue.liquidations,
        "skipped": dict(reader.skipped) if reader else {},
    }
