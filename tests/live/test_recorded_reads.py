"""A recording replayed gives the reads that live gave, to the bit: ladder, walls, absorption."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from powderkeg.desk import Desk
from powderkeg.events import HOUR, SECOND, ClockTick
from powderkeg.feed.decoder import Feed
from powderkeg.frames import BackfillDone, ControlMessage, Frame, Started, control_frame
from powderkeg.history.snapshots import digest
from powderkeg.live.maintenance import SegmentBuilder
from powderkeg.maps.flow.ladder import ladder_of, map_beside
from powderkeg.maps.flow.queries import FlowQuery, LadderQuery, TapeQuery
from powderkeg.maps.flow.read import clusters_beside, read_of
from powderkeg.maps.flow.tape import tape_of
from powderkeg.serve.codec import pack
from powderkeg.settings import Settings
from powderkeg.simvenues.market.feed import STEP, Coin
from powderkeg.simvenues.market.world import make
from powderkeg.simvenues.server import EXCHANGES
from powderkeg.simvenues.wire import Session
from powderkeg.store.folder import Store

pytestmark = pytest.mark.timeout(300)
EDGE = 1_767_225_600 * SECOND
"""A whole hour, in the middle of what is recorded."""
SECONDS = 120
"""Recorded before it, and after."""
VENUES = ("binance", "binance-spot")
PATHS = (
    ("binance", "/public/stream?streams=btcusdt@depth@100ms"),
    ("binance", "/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice@1s"),
    ("binance-spot", "/stream?streams=btcusdt@depth@100ms/btcusdt@aggTrade/btcusdt@bookTicker"),
)
SETTINGS = Settings(draw=SECOND, flush=SECOND)


class Script:
    """Frames of simulated Binance, perpetual and spot, with their numbers and times."""

    def __init__(self) -> None:
        self.coin = Coin("BTC", *make("BTC", VENUES, 3, EDGE - SECONDS * SECOND, 0.1), 0, 3)
        self.markets = [*self.coin.markets, self.coin.spots[0][0]]
        self.wires = {
            venue: EXCHANGES[venue](venue, [market], lambda: self.now)
            for venue, market in zip(VENUES, self.markets, strict=True)
        }
        self.sessions = {venue: Session(lambda _: None, "", 1) for venue in VENUES}
        for venue, path in PATHS:
            self.sessions[venue].path = path
            assert self.wires[venue].connect(self.sessions[venue])
        self.number = 0

    @property
    def now(self) -> int:
        return self.coin.simulation.now

    def frame(self, venue: str, channel: str, raw: bytes) -> Frame:
        self.number += 1
        return Frame(self.number, self.now + 20_000, venue, channel, raw)

    def own(self, message: ControlMessage) -> Frame:
        self.number += 1
        return control_frame(self.number, self.now + 30_000, message)

    def start(self) -> Iterator[Frame]:
        """Yield what comes before the streams: the markets, and whole books."""
        at = self.now
        yield self.own(Started(at, {"BTC": tuple(f"{venue}:BTCUSDT" for venue in VENUES)}))
        for venue, root in (("binance", "/fapi/v1"), ("binance-spot", "/api/v3")):
            query = {"symbol": "BTCUSDT", "limit": "1000"}
            book = self.wires[venue].answer(f"{root}/depth", query, b"")
            yield self.frame(venue, "depth:BTCUSDT", book.body)
            yield self.own(BackfillDone(at, f"{venue}:BTCUSDT", at))

    def step(self) -> Iterator[Frame]:
        """Yield what is published in a tenth of a second, and a tick."""
        for market, update in self.coin.advance(self.now + STEP):
            venue = market.spec.venue
            wire, session = self.wires[venue], self.sessions[venue]
            for made in wire.publish_update(market, update, []):
                if made.topic in session.topics:
                    yield self.frame(venue, "", wire.encode_frame(session, made))
        yield self.own(ClockTick(self.now + 30_000))


def published() -> Iterator[list[Frame]]:
    """Yield batches up to and beyond the whole hour."""
    script = Script()
    yield list(script.start())
    while script.now < EDGE + SECONDS * SECOND:
        yield list(script.step())


def reads(desk: Desk) -> list[object]:
    """Return every read of the order flow of a coin."""
    flow = desk.flow
    return [
        pack(ladder_of(desk, LadderQuery(rows=100), map_beside(desk, ()))),
        pack(tape_of(desk, TapeQuery())),
        pack(read_of(desk, FlowQuery(), clusters_beside(desk, ()))),
        list(flow.walls.standing()), list(flow.ended), list(flow.pressures),
    ]  # fmt: skip


def test_a_recording_replayed_gives_the_reads_that_live_gave(tmp_path):
    store, live = Store(tmp_path), Feed({"BTC": Desk("BTC", SETTINGS)})
    seen: list[list[object]] = []
    for n, batch in enumerate(published()):
        store.append(batch)
        live.process(batch)
        if n % 200 == 0:
            seen.append(reads(live.desks["BTC"]))
    desk = live.desks["BTC"]
    assert live.unread == {}
    assert {book.status for book in desk.books()} == {"live"}
    assert desk.flow.walls.standing() or desk.flow.ended, "there were walls"
    assert desk.flow.pressures, "there was pressure on a side"
    (hour,) = store.ready(EDGE + HOUR - 1)
    store.seal(hour, SegmentBuilder())
    sealed, kept = store._db.one("SELECT count(*) FROM segments WHERE kind='frames'"), store.first
    assert (sealed, kept, bool(store.log.first)) == ((1,), 1, True), "half sealed, half journal"
    assert store.since <= EDGE - (SECONDS - 1) * SECOND

    again = Feed({"BTC": Desk("BTC", SETTINGS)})
    for n, batch in enumerate(store.read()):
        again.process(batch)
        if n % 200 == 0:
            assert reads(again.desks["BTC"]) == seen[n // 200], n
    assert digest(again.desks["BTC"]) == digest(desk)
    assert reads(again.desks["BTC"]) == reads(desk)
    store.close()
