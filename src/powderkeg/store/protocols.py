"""What any store must do, so that another may stand in: one contract, kept by tests/store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.frames import Frame


class Interval(Struct, frozen=True):
    """A stretch of time, µs, end excluded."""

    since: int
    until: int


class EventLog(Protocol):
    """A durable order of frames."""

    @property
    def last(self) -> int:
        """Number of the last frame kept, 0 for none."""
        ...

    @property
    def first(self) -> int:
        """Number of the first frame kept, 0 for none."""
        ...

    def append(self, frames: Sequence[Frame]) -> int:
        """Keep a batch and return its last number; durable once this returns.

        A batch whose last number is not above `last` was kept already and is left out, so an
        appender that does not know whether its last call succeeded may repeat it.

        Raises:
            StoreError: The disk refuses, or the batch does not follow what is kept.
        """
        ...

    def read(self, after: int = 0) -> Iterator[list[Frame]]:
        """Yield batches as they were appended, from the first that holds a frame above `after`.

        Raises:
            GapError: Frames after `after` were trimmed already. A reader may begin anew at 0,
                which stands for whatever is still kept.
        """
        ...

    def trim(self, upto: int) -> None:
        """Forget whole batches that end at or below `upto`."""
        ...


class SegmentStore(Protocol):
    """Sealed hours of events, as columns."""

    def seal(self, kind: str, venue: str, hour: int, columns: dict[str, Any]) -> None:
        """Keep the events of one kind of a venue and hour; again with the same: no change.

        Args:
            kind: Such as ``trades``.
            venue: Such as ``binance``.
            hour: Start of the hour, µs.
            columns: Equally long arrays; ``market`` (text) and ``at`` (µs) among them.
        """
        ...

    def scan(
        self, kind: str, venue: str, market: str, since: int, until: int
    ) -> dict[str, NDArray[Any]]:
        """Return the events of one market with ``since <= at < until``, in order of time."""
        ...

    def coverage(self, kind: str, venue: str) -> list[Interval]:
        """Return the stretches of time of which sealed events are kept."""
        ...


class StateStore(Protocol):
    """The newest snapshot of each part."""

    def save(self, part: str, seq: int, state: bytes) -> None:
        """Keep a state that holds all frames up to `seq`, in place of the one before."""
        ...

    def load(self, part: str) -> tuple[int, bytes] | None:
        """Return number and bytes of the newest state, or None."""
        ...
