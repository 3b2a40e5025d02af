"""Streams of map changes: each change is encoded once and sent to all subscribers of a map.

A slow subscriber loses its unread messages and gets the newest column in full instead. Only if
a column ended meanwhile must its page fetch the map again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import cast

import numpy as np

from powderkeg.maps.heatmap.scale import FLOOR
from powderkeg.maps.views.queries import SPANS, SpanQuery
from powderkeg.maps.views.views import heat_cells, heat_unit, levels, window
from powderkeg.serve.answers.compose import ANSWERS, flat
from powderkeg.serve.answers.envelope import Envelope, StreamedEnvelope
from powderkeg.serve.answers.stream import Column, Hello, Rebase, Sent, Status
from powderkeg.serve.codec import pack
from powderkeg.serve.session import Session
from powderkeg.serve.workers import beside

BACKLOG = 8
"""Messages queued for a slow subscriber."""
BEAT = 1.0
"""Seconds between beats: the level chart, and the newest column even if nothing changed."""
QUICK = 0.05
"""Seconds between two changes of the newest column at least."""
SENDS = 4_000
"""Messages per second for changes of the newest column, over all subscribers."""
SLICE = 0.005
"""Seconds that sending changes of newest columns may block the loop at a time."""
SHARE = 0.2
"""Share of the loop's time that they may take."""
STATUS_EVERY = 2
"""Beats between status messages."""
_Levels = cast("type[StreamedEnvelope]", ANSWERS["levels"])
ABOUT = tuple(name for name in Status.__struct_fields__ if name in Envelope.__struct_fields__)
"""Fields of a status message that are those of every answer."""


class Subscriber:
    """Message queue of one socket."""

    def __init__(self) -> None:
        """Start with an empty queue."""
        self._queue: deque[bytes] = deque(maxlen=BACKLOG)
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether the subscriber is too slow."""
        return len(self._queue) == BACKLOG

    def put(self, message: bytes, *, alone: bool = False) -> None:
        """Queue a message; `alone` discards those before it."""
        if alone:
            self._queue.clear()
        self._queue.append(message)
        self._wake()

    def close(self) -> None:
        """Wake and end `take`."""
        self._closed = True
        self._wake()

    async def take(self) -> bytes | None:
        """Wait for the next message; None once closed."""
        while not self._queue and not self._closed:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return None if self._closed else self._queue.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Stream:
    """Changes of one map: one coin, span and filter."""

    def __init__(self, session: Session, coin: str, query: SpanQuery) -> None:
        """Start with the map as it is."""
        self.session = session
        self.coin = coin
        self.query = query
        self.readers: set[Subscriber] = set()
        self.seq = 0
        self.beats = 0
        self._events = 0
        self._until, self._columns, self._rows = window(session.desk(coin), query.span, 0)
        self._unit = self._unit_now()
        self._last = self._cells(self._until)

    @property
    def name(self) -> str:
        """Opaque name of the stream."""
        return stream_name(self.coin, self.query)

    def hello(self) -> list[bytes]:
        """Return the first messages of a subscriber: the sequence number and the newest column."""
        hello = Hello(
            stream=self.name, seq=self.seq, p0=self._p0, vmin=FLOOR * self._unit,
            now=self.session.now(self.session.desk(self.coin)), source=self.session.source,
        )  # fmt: skip
        return [pack(hello), self._full_column()]

    @property
    def _p0(self) -> float:
        """Natural log of the lower edge of row 0, as in the heatmap."""
        return self._rows.p0

    def send_tail(self) -> None:
        """Send the changes of the newest column, if any."""
        events = self.session.desk(self.coin).counts.events
        if self.readers and events != self._events:
            self._events = events
            self._send_columns()

    def _send_columns(self) -> bool:
        """Send the columns since the last call; return whether grid and scale are unchanged."""
        desk = self.session.desk(self.coin)
        until, _, rows = window(desk, self.query.span, 0)
        unit = self._unit_now()
        moved = rows != self._rows or unit != self._unit
        if moved or until > self._until + self._columns:
            self._rows, self._until, self._unit = rows, until, unit
            self._last = self._cells(until)
            self._send(Rebase())
            return False
        for column in range(self._until, until + 1):
            cells = self._cells(column)
            before = self._last if column == self._until else None
            self._until, self._last = column, cells
            self._send(self._column(column, cells, before))
        return True

    async def beat(self) -> None:
        """Send what has changed since the last beat."""
        if not self.readers or not self._send_columns():
            return
        async with self.session.workers.turn("short", always=True):
            desk = self.session.desk(self.coin)
            about, snapshot = self.session.about(desk, self.query), self.session.frozen(self.coin)
            chart = await beside(levels, snapshot.desk, self.query)
        self._send(flat(_Levels, about, chart))
        if self.beats % STATUS_EVERY == 0:
            self._send(_status(about, desk.counts.events))
        self.beats += 1

    def _cells(self, column: int) -> np.ndarray:
        desk = self.session.desk(self.coin)
        first = self._rows.first
        return heat_cells(desk, self.query.map_filter(), self.query.span, column, 1, first)[0]

    def _unit_now(self) -> float:
        """Return the current unit of the money scale of the cells."""
        desk, step = self.session.desk(self.coin), SPANS[self.query.span][0]
        return heat_unit(desk, self.query.map_filter(), step)

    def _column(self, column: int, cells: np.ndarray, before: np.ndarray | None) -> Column:
        """Return a column message: all rows, or those that differ from `before`."""
        step = SPANS[self.query.span][0]
        bar = self.session.desk(self.coin).prices[step].window(column, 1)[0]
        rows = np.arange(0) if before is None else np.flatnonzero(cells != before)
        return Column(
            stream=self.name,
            t=column * step,
            k=[None if np.isnan(x) else float(x) for x in bar],
            full=before is None,
            as_of=self.session.desk(self.coin).now,
            r=rows.astype(np.uint16),
            v=cells if before is None else cells[rows],
        )

    def _send(self, message: Sent) -> None:
        self.session.release(self.coin)
        self.seq += 1
        message.stream, message.seq = self.name, self.seq
        raw = pack(message)
        slow = [reader for reader in self.readers if reader.full]
        for reader in self.readers.difference(slow):
            reader.put(raw)
        if slow:
            full_column = raw if isinstance(message, Rebase) else self._full_column()
            for reader in slow:
                reader.put(full_column, alone=True)

    def _full_column(self) -> bytes:
        """Return the newest column for a subscriber that has missed messages."""
        column = self._column(self._until, self._last, None)
        column.seq, column.resync = self.seq, True
        return pack(column)


def _status(about: Envelope, events: int) -> Status:
    return Status(**{name: getattr(about, name) for name in ABOUT}, events=events)


def stream_name(coin: str, query: SpanQuery) -> str:
    """Return the name of the stream of a coin, span and filter."""
    tiers = "-".join(str(t) for t in query.tiers)
    return "|".join(
        (coin, query.span, "-".join(query.venues) or "all", tiers, query.side, query.model)
    )


class Hub:
    """The streams that have subscribers."""

    def __init__(self, session: Session) -> None:
        """Start without streams."""
        self.session = session
        self.streams: dict[str, Stream] = {}
        self._next = 0.0

    def join(self, coin: str, query: SpanQuery) -> tuple[Stream, Subscriber]:
        """Add a subscriber to the stream of a map; return both."""
        name = stream_name(coin, query)
        if name not in self.streams:
            self.streams[name] = Stream(self.session, coin, query)
        stream = self.streams[name]
        reader = Subscriber()
        for message in stream.hello():
            reader.put(message)
        stream.readers.add(reader)
        return stream, reader

    def leave(self, stream: Stream, reader: Subscriber) -> None:
        """Remove a subscriber, and its stream with the last one."""
        stream.readers.discard(reader)
        if not stream.readers:
            self.streams.pop(stream.name, None)

    def place(self, coin: str, query: SpanQuery) -> tuple[str, int]:
        """Return the stream of a map and its sequence number."""
        name = stream_name(coin, query)
        stream = self.streams.get(name)
        return name, 0 if stream is None else stream.seq

    def send_tail(self) -> None:
        """Send the changes of newest columns, rate-limited and in bounded time.

        Streams take turns: those not served now come first the next time.
        """
        now = time.monotonic()
        if now < self._next:
            return
        readers = sum(len(stream.readers) for stream in self.streams.values())
        for name in list(self.streams):
            self.streams[name] = stream = self.streams.pop(name)
            stream.send_tail()
            if (taken := time.monotonic() - now) > SLICE:
                break
        else:
            taken = time.monotonic() - now
        self._next = now + max(QUICK, readers / SENDS, taken / SHARE)

    async def beat(self) -> None:
        """Send the changes of all streams, one after another."""
        for stream in list(self.streams.values()):
            await stream.beat()

    async def run(self) -> None:
        """Beat until cancelled; a beat that takes longer delays the next."""
        while True:
            due = time.monotonic() + BEAT
            await self.beat()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
