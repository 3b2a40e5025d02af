"""Filter for stored data that a wrong clock stamped ahead of now: it is kept, but not used.

A desk that applied it would stand still until that time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from powderkeg.errors import ConfigError
from powderkeg.events import HOUR, SECOND
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Frame
from powderkeg.history import snapshots

AHEAD: Final = HOUR
"""µs ahead of now from which a stored time counts as wrong."""


class FutureFilter:
    """Excludes stored frames of the future, and counts them."""

    def __init__(self, now: int) -> None:
        """Set the limit from `now`, µs UTC."""
        self.latest = now + AHEAD
        """Latest µs a stored time may have."""
        self.excluded = 0
        """Frames excluded."""
        self._until = 0

    def exclude(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return the frames that are not of the future."""
        out: list[Frame] = []
        for frame in frames:
            if frame.received_time <= self.latest:
                out.append(frame)
            else:
                self.excluded += 1
                self._until = max(self._until, frame.received_time)
        return out

    @property
    def summary(self) -> str:
        """What was excluded, or nothing."""
        if not self.excluded:
            return ""
        return f"{self.excluded:,} frames that a wrong clock stamped up to {day(self._until)}"

    def restore(self, feed: Feed, raw: bytes) -> None:
        """Restore a fresh feed from a snapshot.

        Raises:
            ConfigError: It is of the future or of another version; the feed is unchanged.
        """
        trial = Feed(dict(feed.desks))
        snapshots.unpack_feed(trial, raw)
        stands = max((desk.now for desk in trial.desks.values()), default=0)
        if stands > self.latest:
            raise ConfigError(f"expected a snapshot of the past, found one of {day(stands)}")
        feed.desks.update(trial.desks)
        feed.readers, feed.seq, feed.coins = trial.readers, trial.seq, trial.coins


def day(at: int) -> str:
    """Return a readable time; plain seconds for a year outside the calendar."""
    try:
        return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at // SECOND} s"
