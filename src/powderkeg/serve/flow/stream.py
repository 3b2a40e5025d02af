"""The topic `flow` of the stream: ladder, tape and read of one coin, for all who ask for the same.

The ladder is sent whole each time something has changed, so a subscriber that missed some is right
with the next; prints are sent once, and a gap in the sequence numbers says that some were missed.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from powderkeg.events import MINUTE
from powderkeg.flow.books.ladder import centred
from powderkeg.flow.coin import PRINTS
from powderkeg.log import get_logger
from powderkeg.maps.flow.ladder import Fired, fired_beside, ladder_of, map_beside
from powderkeg.maps.flow.queries import FlowQuery, LadderQuery, TapeQuery
from powderkeg.maps.flow.read import clusters_beside, read_of
from powderkeg.maps.flow.tape import tape_of
from powderkeg.serve.codec import pack
from powderkeg.serve.flow.routes import about
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Subscriber
from powderkeg.serve.workers import beside

log = get_logger("serve")

QUICK: Final = 0.1
"""Seconds between two ladders at least."""
SLOW: Final = 1.0
"""Seconds between two reads, and between two maps beside the ladder."""
MARGIN: Final = 0.25
"""Part of the rows at either end in which price recentres the ladder."""
BACKLOG: Final = 500
"""Prints that a new subscriber is sent."""


class FlowStream:
    """Order flow of one coin with one set of rows."""

    def __init__(self, session: Session, coin: str, query: LadderQuery) -> None:
        """Start without subscribers."""
        self.session = session
        self.coin = coin
        self.query = query
        self.readers: set[Subscriber] = set()
        self.seq = 0
        self._rows: tuple[float, int] | None = None
        """Height of a row and number of the lowest, held until price nears an end."""
        self._events = -1
        self._printed: tuple[int, int] | None = None
        """Prints and liquidations ever added when the tape was last sent."""
        self._next = 0.0
        self._fired: tuple[int, Fired | None] | None = None
        """The map of the last hour and when it was read, µs: its columns change once a minute."""

    def hello(self) -> list[bytes]:
        """Return the first messages of a subscriber: the newest prints.

        The other subscribers get those that they lack first: each print is sent to each once.
        """
        desk = self.session.desk(self.coin)
        self._send_prints()
        tape = tape_of(desk, TapeQuery(venues=self.query.venues, limit=BACKLOG))
        return [pack(about(self.session, desk, "tape", tape, seq=self.seq))]

    async def beat(self) -> None:
        """Send what has changed; once a second with the map and the read."""
        slow = time.monotonic() >= self._next
        if slow:
            self._next = time.monotonic() + SLOW
            frozen = self.session.frozen(self.coin).desk
            async with self.session.workers.turn("short", always=True):
                profile = await beside(map_beside, frozen, self.query.venues)
                if self._fired is None or frozen.now - self._fired[0] >= MINUTE:
                    fired = await beside(fired_beside, frozen, self.query.venues)
                    self._fired = frozen.now, fired
                found = await beside(clusters_beside, frozen, self.query.venues)
            desk, venues = self.session.desk(self.coin), self.query.venues
            self._send("read", read_of(desk, FlowQuery(venues=venues), found))
            self._send("ladder", self._ladder(profile))
        elif self.session.desk(self.coin).counts.events != self._events:
            self._send("ladder", self._ladder(None))
        self._events = self.session.desk(self.coin).counts.events
        self._send_prints()

    def _ladder(self, profile: Any) -> Any:
        desk = self.session.desk(self.coin)
        fired = self._fired[1] if self._fired else None
        found = ladder_of(desk, self.query, profile, self._first(desk.price), fired)
        self._rows = found.step, found.first
        return found

    def _first(self, price: float) -> int | None:
        """Return the lowest row to keep; None to centre the rows."""
        if self._rows is None or not price > 0:
            return None
        step, first = self._rows
        rows, row = self.query.rows, int(price // step)
        kept = centred(first, rows, row, int(rows * MARGIN))
        return first if kept == first else None

    def _send_prints(self) -> None:
        desk, before = self.session.desk(self.coin), self._printed
        self._printed = desk.flow.prints.total, desk.flow.reported
        if before is None or before == self._printed:
            return
        tape = tape_of(desk, TapeQuery(venues=self.query.venues, limit=PRINTS), before)
        if len(tape.time):
            self._send("tape", tape)

    def _send(self, name: str, view: Any) -> None:
        self.seq += 1
        raw = pack(about(self.session, self.session.desk(self.coin), name, view, seq=self.seq))
        for reader in self.readers:
            reader.put(raw)


class FlowHub:
    """The order-flow streams that have subscribers; each beats by itself."""

    def __init__(self, session: Session) -> None:
        """Start without streams."""
        self.session = session
        self._streams: dict[tuple[str, LadderQuery], tuple[FlowStream, asyncio.Task[None]]] = {}

    def join(self, coin: str, query: LadderQuery) -> tuple[FlowStream, Subscriber]:
        """Add a subscriber to the stream of these rows; return both."""
        if (coin, query) not in self._streams:
            begun = FlowStream(self.session, coin, query)
            self._streams[coin, query] = begun, asyncio.ensure_future(_beat(begun))
        stream, _ = self._streams[coin, query]
        reader = Subscriber()
        for message in stream.hello():
            reader.put(message)
        stream.readers.add(reader)
        return stream, reader

    def leave(self, stream: FlowStream, reader: Subscriber) -> None:
        """Remove a subscriber, and its stream with the last one."""
        stream.readers.discard(reader)
        if not stream.readers:
            _, task = self._streams.pop((stream.coin, stream.query))
            task.cancel()


async def _beat(stream: FlowStream) -> None:
    """Send a stream's changes until cancelled; an error is logged and ends its sockets."""
    try:
        while True:
            began = time.monotonic()
            await stream.beat()
            await asyncio.sleep(max(QUICK - (time.monotonic() - began), QUICK / 2))
    except Exception:
        log.exception("flow_stream_failed", coin=stream.coin)
        for reader in stream.readers:
            reader.close()
