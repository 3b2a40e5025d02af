"""Playback of a coin's history: the desk as of any time, with only what was known before it.

Forward it plays on; backward it restarts from its nearest checkpoint. A time is rounded down to the
cursor's stride, at multiples of which the stream of events is cut, so the state at a time depends
on that time only, and equals that of a stream which ends there.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Protocol, TypeAlias

import pyarrow as pa

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError, RequestError
from powderkeg.events import DAY, HOUR, SECOND, ClockTick, Event
from powderkeg.feed.decoder import Feed
from powderkeg.feed.drive import Watch, drive
from powderkeg.frames import Frame
from powderkeg.history import snapshots
from powderkeg.history.archive import unpack
from powderkeg.history.replay import remaining
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import Source, coin_of
from powderkeg.maps.views.moves import History, Move, Path, kept, outside
from powderkeg.settings import LIVE

EVERY = 12 * HOUR
"""Played time between two checkpoints, until there are too many."""
LEAST = 10 * SECOND
"""Time per step of the first play-through, unless the stride is longer."""
MAX_PLAYERS = 3
"""Players kept at their positions, so that readers of different times, or a late request, do not
rewind each other."""
MOST = 48
"""Checkpoints kept; beyond, every other one is dropped and the distance doubles."""


class Player(Protocol):
    """Plays a coin's data onto a desk, forward only."""

    @property
    def desk(self) -> Desk:
        """The desk at the current position."""
        ...

    @property
    def stride(self) -> int:
        """It can stop at any multiple of this, µs."""
        ...

    def head(self) -> int | None:
        """Return the received time of the next item, µs; None at the end."""
        ...

    def advance(self, before: int) -> None:
        """Play all that was received before a time."""
        ...

    def pack(self) -> bytes | None:
        """Return its state, None while it cannot be saved."""
        ...


Make: TypeAlias = Callable[[bytes | None], Player]
"""Returns a player at the start, or at the position of packed state."""


class Stored:
    """Plays a source file."""

    def __init__(
        self, source: Source, coin: str, raw: bytes | None = None, *, until: int | None = None,
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        """Begin at the start, or at the position of the packed desk.

        Args:
            source: The stored data.
            coin: One of its coins.
            raw: State of an earlier player.
            until: µs to stop before.
            watch: Called after each event.
        """
        self._watch = watch
        self.desk: Desk = Desk(coin) if raw is None else snapshots.CODEC.unpack(raw)
        bar, self.stride = strides(source, coin, self.desk.settings.flush)
        self.report = ReadReport()
        self._stream = remaining(self.desk, source, until=until, stride=bar, report=self.report)
        self._next: Event | None = next(self._stream, None)

    def head(self) -> int | None:
        """Return when the next event was received, µs."""
        return None if self._next is None else _known(self._next)

    def advance(self, before: int) -> None:
        """Apply the events received before a time."""
        drive(self.desk, self._take(before), self._watch)

    def _take(self, before: int) -> Iterator[Event]:
        """Yield the next events received before a time."""
        while self._next is not None and _known(self._next) < before:
            event, self._next = self._next, next(self._stream, None)
            yield event

    def pack(self) -> bytes:
        """Return the desk as bytes."""
        return snapshots.CODEC.pack(self.desk)


class Recorded:
    """Plays frames that were recorded live."""

    stride = SECOND
    """Prints of one second are one run."""
    END = 2**62
    """A time after all frames."""

    def __init__(
        self, read: Callable[[int], Iterator[list[Frame]]], coin: str, raw: bytes | None = None,
        *, until: int | None = None,
    ) -> None:  # fmt: skip
        """Begin at the start, or at the position of the packed feed.

        Args:
            read: Yields the stored batches after a frame's sequence number.
            coin: The coin.
            raw: State of an earlier player.
            until: µs to stop before.
        """
        self.feed = Feed({coin: Desk(coin, LIVE)})
        self._coin = coin
        if raw is not None:
            snapshots.unpack_feed(self.feed, raw)
        end = math.inf if until is None else until
        taken = self.feed.seq
        self._batches = (
            [frame for frame in batch if frame.seq > taken and frame.received_time < end]
            for batch in read(taken)
        )
        self._rest: list[Frame] = []
        self._refill()

    def _refill(self) -> None:
        """Load the next batch of frames, if any is left."""
        while not self._rest and (batch := next(self._batches, None)) is not None:
            self._rest = batch

    @property
    def desk(self) -> Desk:
        """The desk at the current position."""
        return self.feed.desks[self._coin]

    def head(self) -> int | None:
        """Return when the next frame was received, µs."""
        return self._rest[0].received_time if self._rest else None

    def advance(self, before: int) -> None:
        """Process the frames received before a time, in their stored batches."""
        while self._rest and self._rest[0].received_time < before:
            stop = next(
                (n for n, f in enumerate(self._rest) if f.received_time >= before), len(self._rest)
            )
            self.feed.process(self._rest[:stop])
            self._rest = self._rest[stop:]
            self._refill()

    def pack(self) -> bytes | None:
        """Return the feed as bytes, unless a market waits for its backfill."""
        return None if self.feed.waiting else snapshots.pack_feed(self.feed)


def _known(event: Event) -> int:
    return event.time if isinstance(event, ClockTick) else event.received_time


def strides(source: Source, coin: str, block: int) -> tuple[int, int]:
    """Return the shortest bar length, and the interval at which a stream can be cut, µs.

    Args:
        source: The stored data.
        coin: One of its coins.
        block: Longest run of prints, µs.
    """
    mine = [each for each in unpack(source) if coin_of(each) == coin]
    bars = [each.length for each in mine if each.kind == "candles" or each.bars]
    bar = min([DAY, *(span for span in bars if span)])
    loose = any(each.kind in {"trades", "wire"} for each in mine)
    return bar, block if loose else bar


class PlaybackCursor:
    """A player that can also go back. Play it through once, then ask for any time."""

    def __init__(self, first: Player, make: Make) -> None:
        """Take a player at the start, and the factory for others."""
        self._make = make
        self._cursors: list[tuple[int, Player]] = [(0, first)]
        self._every = EVERY
        self._marks: list[tuple[int, int, bytes]] = []
        self._path = Path()
        self._history: tuple[list[int], list[Move]] = ([], [])
        self.stride = first.stride
        """Resolution of times, µs."""
        self.since = 0
        """First time with a map, µs."""
        self.until = 0
        """Last time that may be requested, µs."""

    def play_through(self, progress: Callable[[Desk], None] | None = None) -> Desk:
        """Play everything once, to find its range and largest moves; return the desk at the end.

        Raises:
            ConfigError: No market ever has a mark.
        """
        step = math.ceil(LEAST / self.stride) * self.stride
        at, player = self._cursors[-1]
        while (head := player.head()) is not None:
            at = max(at, head // step * step) + step
            player.advance(at)
            if not self.since and any(True for _ in player.desk.estimated()):
                self.since = at
            self._path.take(player.desk.prices)
            self._keep(at, player)
            if progress is not None:
                progress(player.desk)
        if not self.since:
            raise ConfigError(f"expected a market of {player.desk.coin} with a price, found none")
        self.until = at
        self._cursors = [(at, player)]
        self._history = kept(player.desk)[1], self._path.moves()
        return snapshots.CODEC.unpack(snapshots.CODEC.pack(player.desk))

    def desk_at(self, at: int) -> Desk:
        """Return the desk with exactly what was received before a time.

        It belongs to the cursor: valid until the next call.

        Raises:
            RequestError: The time is before the first map, or after the last event.
        """
        if not self.since <= at <= self.until:
            raise RequestError(outside(self.since, self.until, at))
        at = at // self.stride * self.stride
        player = self._player_before(at)
        player.advance(at)
        self._cursors = [*self._cursors[-MAX_PLAYERS + 1 :], (at, player)]
        return player.desk

    def _player_before(self, at: int) -> Player:
        """Return the nearest player before a time; or, if that is far, one from a checkpoint."""
        behind = [each for each in self._cursors if each[0] <= at]
        nearest = max(behind, key=itemgetter(0), default=None)
        n = bisect_right(self._marks, at, key=lambda mark: mark[0])
        if nearest is None or (n and self._marks[n - 1][0] > nearest[0] + EVERY):
            return self._make(_opened(*self._marks[n - 1][1:]) if n else None)
        self._cursors.remove(nearest)
        return nearest[1]

    def _keep(self, at: int, player: Player) -> None:
        """Save a checkpoint where one is due; of too many, keep every other one."""
        due = not self._marks or at - self._marks[-1][0] >= self._every
        if not due or (raw := player.pack()) is None:
            return
        self._marks.append((at, len(raw), pa.compress(raw, codec="zstd", asbytes=True)))
        if len(self._marks) > MOST:
            self._every *= 2
            del self._marks[1::2]

    def history(self) -> History:
        """Return the time range that may be requested, and the largest moves in it."""
        return History(self.since, self.until, self.stride, *self._history)


def _opened(size: int, packed: bytes) -> bytes:
    return pa.decompress(packed, size, codec="zstd", asbytes=True)
