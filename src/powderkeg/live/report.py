"""Health as a record: for the API, Prometheus, the page and doctor."""

from __future__ import annotations

from collections.abc import Mapping

from powderkeg.events import SECOND
from powderkeg.feed.decoder import Feed
from powderkeg.live.answers import FeedHealth, VenueHealth
from powderkeg.live.health import Health
from powderkeg.live.network.rest import Rest
from powderkeg.live.timekeeping.clock import now
from powderkeg.venues import spec_of


def report(status: Health, feed: Feed, rests: Mapping[str, Rest]) -> FeedHealth:
    """Return states, rates, lags, problems and counts, by venue and channel.

    Args:
        status: Of every channel.
        feed: Counts what could not be read.
        rests: Request clients by venue.
    """
    at = now()
    incidents: dict[str, dict[str, int]] = {}
    for (venue, what), count in sorted(status.counts.items()):
        incidents.setdefault(venue, {})[what] = count
    return FeedHealth(
        at=at,
        markets=dict(status.states),
        channels=status.rows(at),
        venues={name: _venue(rest, status, feed, at) for name, rest in rests.items()},
        incidents=incidents,
        problems=dict(status.problems),
        unread_frames=sum(feed.unread.values()),
        unread=dict(feed.unread),
        last_unread=feed.last_unread,
        recorded_since=status.recorded_since,
    )


def _venue(rest: Rest, status: Health, feed: Feed, at: int) -> VenueHealth:
    """Return one venue's clock skew, request budget and completeness of liquidations."""
    offset = status.offsets.get(rest.venue.name)
    skew = offset.skew if offset else None
    delay = offset.delay(at) if offset else None
    reader = feed.readers.get(rest.venue.name)
    return VenueHealth(
        skew=None if skew is None else skew / SECOND,
        delay=None if delay is None else delay / SECOND,
        weight_used=rest.used(),
        weight_limit=rest.venue.limits.weight,
        window=rest.venue.limits.window / SECOND,
        liquidations=spec_of(rest.venue.name).liquidations,
        skipped=dict(reader.state.skipped) if reader else {},
    )
