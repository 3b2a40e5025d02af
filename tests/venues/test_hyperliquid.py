"""Hyperliquid frames: every channel and answer we use, every trap, and any bytes at all."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    MINUTE,
    BookSnapshot,
    Candles,
    Funding,
    Link,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "hyperliquid"
MESSAGES = (FRAMES / "messages.jsonl").read_bytes().splitlines()
STREAM = [line.split(b" ", 1) for line in (FRAMES / "stream.txt").read_bytes().splitlines()]
SEEN = 1_737_918_900_000_000
MS = 1000
NOW = 1_769_916_060_000 * MS


def row(tid=1, time=1_737_918_847_000, side="B", **more):
    message = {"coin": "BTC", "side": side, "px": "105056.0", "sz": "0.5", "time": time, "tid": tid}
    return message | {"hash": "0x0", "users": ["0xbuyer", "0xseller"]} | more


def frame(channel, data):
    return json.dumps({"channel": channel, "data": data}).encode()


def trades(*rows):
    return frame("trades", rows)


CONTEXT = frame(
    "activeAssetCtx",
    {
        "coin": "BTC",
        "ctx": {
            "funding": "0.0000125",
            "openInterest": "18617.46",
            "oraclePx": "105000.0",
            "markPx": "105010.0",
            "midPx": None,
        },
    },
)


def test_it_is_a_venue():
    venue: VenueReader = hyperliquid_reader()
    assert venue.name == "hyperliquid"
    assert venue.symbol("BTC") == "BTC"
    assert VENUES["hyperliquid"].liquidations == "none"


def test_every_book_is_a_whole_one_without_a_number():
    (event,) = hyperliquid_reader().read(MESSAGES[5], SEEN)
    bids, asks = ((59.8, 3.4), (59.778, 1.6)), ((59.811, 2.9), (59.832, 17.6))
    at = 1730160007687 * MS
    assert event == BookSnapshot("hyperliquid:BANANA", at, SEEN, bids, asks, 0)
    assert hyperliquid_reader().snapshot("BTC") == ()
    assert hyperliquid_reader().reply(MESSAGES[5]) == b""


def test_a_context_carries_no_time_so_it_is_as_of_when_we_saw_it():
    mark, funding, interest = hyperliquid_reader().read(CONTEXT, SEEN)
    assert mark == Mark("hyperliquid:BTC", SEEN, SEEN, 105010.0, 105000.0)
    assert interest == OpenInterest("hyperliquid:BTC", SEEN, SEEN, 18617.46)
    assert isinstance(funding, Funding)


@pytest.mark.parametrize(
    ("raw", "channel", "reason"),
    [
        (b'{"channel":"pong"}', "", "channel pong"),
        (
            frame("subscriptionResponse", {"method": "subscribe"}),
            "",
            "channel subscriptionResponse",
        ),
        (frame("bbo", {"coin": "BTC"}), "", "channel bbo"),
        (b"{}", "", "no channel"),
        (b"[]", "orders:BTC", "answer to orders:BTC"),
    ],
)
def test_acks_and_channels_we_do_not_use_are_counted(raw, channel, reason):
    venue = hyperliquid_reader()
    assert venue.read(raw, SEEN, channel) == []
    assert venue.state.skipped == {reason: 1}


def test_a_refused_subscription_is_reported_with_the_venues_message():
    sent = "Invalid subscription " * 20
    (event,) = hyperliquid_reader().read(frame("error", sent), SEEN)
    assert event == Link("hyperliquid", SEEN, SEEN, "refused", sent[:120])


@pytest.mark.parametrize(
    "raw",
    [
        trades(row(px="0")),
        trades(row(sz="-1")),
        trades(row(side="C")),
        frame("l2Book", {"coin": "BTC", "time": 1, "levels": [[]]}),
        frame("activeAssetCtx", {"coin": "BTC", "ctx": {}}),
        b"null",
    ],
)
def test_a_channel_of_ours_in_another_shape_is_unreadable(raw):
    with pytest.raises(WireError, match="hyperliquid: unreadable frame"):
        hyperliquid_reader().read(raw, SEEN)


def bar(start, minutes=1, **more):
    message = {"t": start, "T": start + minutes * 60_000 - 1, "s": "BTC", "i": f"{minutes}m"}
    return message | {"o": "10", "h": "12", "l": "9", "c": "11", "v": "4", "n": 3} | more


META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        {"name": "DOGE", "szDecimals": 0, "maxLeverage": 10, "onlyIsolated": True},
        {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
    ],
    "marginTables": [
        [
            56,
            {
                "description": "tiered 40x",
                "marginTiers": [
                    {"lowerBound": "0.0", "maxLeverage": 40},
                    {"lowerBound": "150000000.0", "maxLeverage": 20},
                ],
            },
        ]
    ],
    "collateralToken": 0,
}


def test_one_socket_carries_trades_book_and_context_of_each_coin():
    (stream,) = hyperliquid_reader().streams(["BTC", "ETH"])
    sent = [json.loads(message)["subscription"] for message in stream.subscribe]
    assert stream.url == "wss://api.hyperliquid.xyz/ws"
    assert [each["type"] for each in sent if each["coin"] == "ETH"] == [
        "trades",
        "l2Book",
        "activeAssetCtx",
    ]
    kinds = {each.kind for each in stream.channels if each.market == "hyperliquid:BTC"}
    assert kinds == {"trades", "book", "mark", "funding", "oi"}
    assert (stream.ping, stream.ping_every) == (b'{"method":"ping"}', MINUTE // 2)


def test_recorded_single_messages_can_be_read_and_those_of_spot_are_left_out():
    venue = hyperliquid_reader()
    kinds = {type(event).__name__ for raw in MESSAGES for event in venue.read(raw, SEEN)}
    assert kinds == {"Trade", "Trades", "BookSnapshot", "Mark", "Funding", "OpenInterest"}
    assert venue.state.skipped == {"channel activeSpotAssetCtx": 1, "channel bbo": 2}


def test_a_recorded_stream_gives_books_that_are_never_crossed_and_trades_within_them():
    venue, book = hyperliquid_reader(), Book("hyperliquid:BTC")
    traded = 0.0
    for stamp, raw in STREAM:
        for event in venue.read(raw, int(stamp) // 1000):
            if isinstance(event, BookSnapshot):
                assert book.apply(event) is None
            elif isinstance(event, Trade):
                traded += event.size
                assert abs(event.price / 105_056 - 1) < 1e-4
    assert book.counts["crossed"] == 0
    assert traded > 0


def readable(raw: bytes, channel: str = "") -> None:
    try:
        events = hyperliquid_reader().read(raw, SEEN, channel)
    except WireError:
        return
    for event in events:
        if not isinstance(event, Trades | Candles):
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(event))


CHANNELS = ["", "instruments", "candles:BTC", "funding:BTC", "trades:BTC"]
ANSWERS = [
    json.dumps(META).encode(),
    json.dumps([bar(0), bar(60_000)]).encode(),
    (FRAMES / "http_funding_history.json").read_bytes(),
    (FRAMES / "http_recent_trades_btc.json").read_bytes(),
]


@given(st.binary(max_size=300), st.sampled_from(CHANNELS))
@example(b"", "")
@example(b"[" * 100_000, "")
@example(b'{"channel":"trades","data":' * 10_000, "")
@example(b'{"channel":"\xff"}', "")
def test_any_bytes_are_events_or_a_wire_error(raw, channel):
    readable(raw, channel)


@settings(max_examples=300)
@given(
    st.sampled_from(
        [("", raw) for raw in MESSAGES] + list(zip(CHANNELS[1:], ANSWERS, strict=True))
    ),
    fuzz.wounds(),
)
def test_a_damaged_frame_is_events_or_a_wire_error(message, wound):
    channel, raw = message
    readable(fuzz.hurt(raw, wound), channel)


@settings(max_examples=200)
@given(st.sampled_from([(row(), ""), (row(), "trades:BTC"), (bar(0), "candles:BTC")]), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(message, pick):
    fields, channel = message
    name = pick.draw(st.sampled_from(sorted(fields)))
    changed = [fields | {name: pick.draw(fuzz.VALUES)}]
    readable(json.dumps(changed).encode() if channel else trades(*changed), channel)


def test_an_unreadable_trade_is_skipped_and_the_rest_read():
    venue = hyperliquid_reader()
    rows = [row(tid=1), row(tid=2, coin=""), row(tid=3, px="0"), row(tid=4, time="never")]
    (event,) = venue.read(trades(*rows), SEEN)
    assert isinstance(event, Trade)
    assert venue.state.skipped == {UNREADABLE: 3}
