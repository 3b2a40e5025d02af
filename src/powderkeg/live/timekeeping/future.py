"""What a clock that was wrong has stamped ahead of now: it is in the store, and not used.

A desk that took it would stand still until time has come there.
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
"""µs ahead of now from which a stored time is wrong."""


class Future:
    """Parts stored frames from those of the future, and counts these."""

    def __init__(self, now: int) -> None:
        """Begin at `now`, µs UTC."""
        self.latest = now + AHEAD
        """µs up to which a stored time is believed."""
        self.left = 0
        """Frames left out."""
        self._until = 0

    def without(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return the frames that are not of the future."""
        out: list[Frame] = []
        for frame in frames:
            if frame.received_time <= self.latest:
                out.append(frame)
            else:
                self.left += 1
                self._until = max(self._until, frame.received_time)
        return out

    @property
    def words(self) -> str:
        """What was left out, or nothing."""
        if not self.left:
            return ""
        return f"{self.left:,} frames that a wrong clock stamped up to {day(self._until)}"

    def recall(self, feed: Feed, raw: bytes) -> None:
        """Let a fresh feed know what a snapshot knows.

        Raises:
            ConfigError: It is of the future, or no snapshot of this version. The feed is as it was.
        """
        trial = Feed(dict(feed.desks))
        snapshots.unpack_feed(trial, raw)
        stands = max((desk.now for desk in trial.desks.values()), default=0)
        if stands > self.latest:
            raise ConfigError(f"expected a snapshot of the past, found one of {day(stands)}")
        feed.desks.update(trial.desks)
        feed.readers, feed.seq, feed.coins = trial.readers, trial.seq, trial.coins


def day(at: int) -> str:
    """Return a time as a person reads it; a year no calendar has as a plain number."""
    try:
        return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at // SECOND} s"
