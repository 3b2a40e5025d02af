"""The simulated spot host: what it sends has the form of what was recorded, and is true."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.events import MINUTE, BookDelta, BookSnapshot, Candles, Quote, Trade, Trades
from powderkeg.feed.drive import drive
from powderkeg.market.book import Book
from powderkeg.simvenues import serve, server
from powderkeg.simvenues.control import book_of
from powderkeg.simvenues.exchanges.binance_spot import BinanceSpot
from powderkeg.simvenues.faults import Fault
from powderkeg.simvenues.market.feed import Coin, Market
from powderkeg.simvenues.market.world import WEIGHTS, make
from powderkeg.simvenues.wire import RefusedError, Session
from powderkeg.venues import VENUES

from .conftest import SEED, Made, decoded
from .test_shapes import first, same

VENUE, SYMBOL = "binance-spot", "BTCUSDT"
PATH = "/stream?streams=" + "/".join(
    f"btcusdt@{kind}" for kind in ("depth@100ms", "bookTicker", "aggTrade", "trade")
)


@pytest.fixture(scope="module")
def made_spot() -> Made:
    """A quarter of a day of BTC at two venues and a spot venue. Do not step it: copy it."""
    until = time.time_ns() // 1000 // MINUTE * MINUTE
    return make("BTC", ("binance", "bybit", VENUE), SEED, until, 0.25)


@pytest.fixture
def coin(made_spot: Made) -> Coin:
    market, histories = made_spot
    return Coin("BTC", market.copy(), histories, 0, SEED)


@pytest.fixture
def spot(coin: Coin) -> Market:
    return coin.spots[0][0]


@pytest.fixture
def wire(spot: Market) -> BinanceSpot:
    return BinanceSpot(VENUE, [spot], lambda: spot.now)


def sent(coin: Coin, wire: BinanceSpot, seconds: int = 4) -> list[bytes]:
    """Return all that the spot host publishes in so many seconds."""
    session = Session(lambda _: None, PATH, 1)
    assert wire.connect(session)
    return [
        wire.encode_frame(session, frame)
        for market, update in coin.advance(coin.simulation.now + seconds * 1_000_000)
        if market.spec.venue == VENUE
        for frame in wire.publish_update(market, update, wire.reported_liquidations(market, update))
        if frame.topic in session.topics
    ]


def ask(wire: BinanceSpot, path: str, **query: str) -> Any:
    return json.loads(wire.answer(f"/api/v3/{path}", query, b"").body)


def recorded(data: Path) -> list[Any]:
    with gzip.open(data / "wire" / "binance" / "spot_btcusdt_20240808.txt.gz") as file:
        return [json.loads(next(file).partition(b" ")[2]) for _ in range(500)]


@pytest.mark.parametrize("stream", ["trade", "depth@100ms", "bookTicker"])
def test_its_streams_have_the_form_that_was_recorded(stream, data, coin, wire):
    real = first(recorded(data), stream=stream)
    mine = [json.loads(raw) for raw in sent(coin, wire)]
    whole = [m for m in mine if m["data"].get("a", True) and m["data"].get("b", True)]
    served = first(whole, stream=stream)
    same(real, served)
    assert served["data"].keys() == real["data"].keys(), "and nothing else"


def test_its_book_has_the_form_that_was_recorded(data, wire):
    real = next(message for message in recorded(data) if "lastUpdateId" in message)
    same(real, ask(wire, "depth", symbol=SYMBOL))
    assert ask(wire, "depth", symbol=SYMBOL).keys() == real.keys()


def test_its_prices_and_sizes_have_eight_decimals(wire):
    (bid, size), *_ = ask(wire, "depth", symbol=SYMBOL, limit="5")["bids"]
    assert [len(text.partition(".")[2]) for text in (bid, size)] == [8, 8]


def test_our_reader_reads_every_frame_and_rebuilds_the_true_book(coin, spot, wire):
    reader, book = VENUES[VENUE].reader(""), Book(f"{VENUE}:{SYMBOL}")
    now, counts = spot.now, {Trade: 0, BookDelta: 0, Quote: 0}
    (whole,) = reader.read(
        wire.answer("/api/v3/depth", {"symbol": SYMBOL, "limit": "1000"}, b"").body, now,
        f"depth:{SYMBOL}",
    )  # fmt: skip
    assert isinstance(whole, BookSnapshot)
    asks = [book.apply(whole)]
    for raw in sent(coin, wire):
        for event in reader.read(raw, now):
            counts[type(event)] += 1
            if isinstance(event, BookDelta):
                asks.append(book.apply(event))
    reader.state.skipped.pop("duplicate trade", None)  # both trade streams were asked for
    assert (reader.state.skipped, set(asks), book.status) == ({}, {None}, "live")
    assert min(counts.values()) > 10
    bid, _, ask_price, _ = book.best() or (0.0,) * 4
    truth = book_of(spot)
    assert (bid, ask_price) == (truth["bids"][0][0], truth["asks"][0][0])


def test_our_reader_reads_every_answer(coin, wire, spot):
    sent(coin, wire)
    reader = VENUES[VENUE].reader("")
    polls = [*reader.polls((SYMBOL,)), *reader.recent(SYMBOL)]
    polls += reader.past(SYMBOL, spot.now - 60 * MINUTE, spot.now)
    events = []
    for poll in polls:
        path, _, query = poll.url.removeprefix("https://api.binance.com").partition("?")
        asked = dict(part.split("=") for part in query.split("&") if part)
        reply = wire.answer(path, asked, b"")
        assert reply.weight == poll.weight, poll.channel
        events += reader.read(reply.body, spot.now, poll.channel)
    assert reader.state.skipped == {}
    assert {type(event) for event in events} == {Candles, Trades}
    assert reader.state.instruments[SYMBOL].kind == "spot"
    (bars,) = (event for event in events if isinstance(event, Candles))
    rows = spot.past.bars(int(bars.times[0]), spot.now, MINUTE, 1_000, newest=False)
    assert bars.close[:50].tolist() == [round(row.close, 2) for row in rows][:50]


def test_recent_prints_can_be_asked_from_an_id_on(coin, wire, spot):
    sent(coin, wire)
    start = spot.tape[3].id
    rows = ask(wire, "aggTrades", symbol=SYMBOL, fromId=str(start), limit="4")
    assert [row["a"] for row in rows] == [start + k for k in range(4)]


def test_what_futures_hosts_answer_is_not_found_here(wire):
    for path in ("/fapi/v1/openInterest", "/futures/data/openInterestHist", "/api/v3/premiumIndex"):
        with pytest.raises(RefusedError, match="404"):
            wire.answer(path, {"symbol": SYMBOL}, b"")


def test_wrong_requests_are_refused_and_too_many_as_well(wire):
    for path, query in (
        ("depth", {"symbol": "NOPE"}), ("depth", {"symbol": SYMBOL, "limit": "0"}),
        ("klines", {"symbol": SYMBOL, "interval": "7m"}),
    ):  # fmt: skip
        with pytest.raises(RefusedError):
            wire.answer(f"/api/v3/{path}", query, b"")
    with pytest.raises(RefusedError, match="6000") as refused:
        [ask(wire, "depth", symbol=SYMBOL, limit="5000") for _ in range(30)]
    assert refused.value.reply.status == 429


def test_a_socket_takes_subscriptions_and_unknown_streams_stay_silent(wire):
    answers: list[Any] = []
    session = Session(lambda raw: answers.append(decoded(raw.decode())), "/ws", 1)
    assert wire.connect(session)
    for method in ("SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"):
        names = ["btcusdt@aggTrade", "btcusdt@markPrice"]
        wire.on_message(session, json.dumps({"method": method, "params": names, "id": 1}))
    assert session.topics == {"btcusdt@aggTrade", "silent!btcusdt@markPrice"}
    assert [answer["result"] for answer in answers] == [None, None, None]
    assert not wire.connect(Session(lambda _: None, "/public/stream", 2)), "a route of futures"


def test_a_stale_book_is_the_one_of_when_the_fault_began(coin, wire, spot):
    before = spot.sim_book.last
    wire.begin_fault(Fault(VENUE, "stale_snapshot"))
    sent(coin, wire)
    assert ask(wire, "depth", symbol=SYMBOL)["lastUpdateId"] == before < spot.sim_book.last


def test_the_perpetuals_publish_the_same_beside_spot(made_spot, coin):
    market, histories = made_spot
    alone = Coin("BTC", market.copy(), histories[:2], 0, SEED)
    for (here, update), (there, expected) in zip(
        (pair for pair in coin.advance(coin.simulation.now + 5_000_000) if pair[0].truth),
        alone.advance(alone.simulation.now + 5_000_000), strict=True,
    ):  # fmt: skip
        assert (here.spec, update) == (there.spec, expected)


def test_the_perpetuals_have_the_same_history_beside_spot(made_spot):
    market, histories = made_spot
    again, alone = make("BTC", ("binance", "bybit"), SEED, market.now, 0.25)
    assert again._state.tobytes() == market._state.tobytes()
    for mine, other in zip(histories[:2], alone, strict=True):
        assert mine.candles.columns().keys() == other.candles.columns().keys()
        for name, column in mine.candles.columns().items():
            assert column.tobytes() == other.candles.columns()[name].tobytes(), name


def test_spot_never_gets_a_map_a_weight_or_open_interest(coin, made_spot, wire):
    desk, reader = Desk("BTC"), VENUES[VENUE].reader("")
    drive(desk, [made_spot[1][2].candles])
    for raw in sent(coin, wire):
        drive(desk, reader.read(raw, coin.simulation.now))
    ours = next(iter(desk.markets.values()))
    assert (ours.estimate, list(desk.estimated()), desk.leader) == (None, [], None)
    assert ours.price > 0
    assert next(iter(desk.flow.markets.values())).kind == "spot"


@pytest.mark.timeout(120)
async def test_spot_is_on_a_host_of_its_own(made_spot, http, monkeypatch):
    async def ready(*_: Any) -> dict[str, Made]:
        return {"BTC": (made_spot[0].copy(), made_spot[1])}

    monkeypatch.setattr(server, "make_all", ready)
    async with await serve(["BTC"], venues=["binance", "bybit", VENUE]) as simulator:
        assert set(simulator.addresses) == {"binance", "bybit", VENUE}
        assert len(set(simulator.addresses.values())) == 3
        params = {"venue": VENUE, "symbol": SYMBOL}
        async with http.get(f"{simulator.control}/truth", params=params) as answer:
            truth = await answer.json()
        assert truth["positions"] == {"count": 0, "long": 0.0, "short": 0.0}
        assert truth["open_interest"] == 0.0
        ws = await http.ws_connect(f"ws://{simulator.addresses[VENUE]}{PATH}")
        streams = set()
        while len(streams) < 4:
            streams.add(decoded(await ws.receive_str(timeout=60))["stream"])


async def test_spot_alone_has_no_index_to_follow():
    with pytest.raises(ConfigError, match="expected coins"):
        await serve(["BTC"], venues=[VENUE])
    assert VENUE not in WEIGHTS
