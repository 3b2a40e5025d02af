"""Hyperliquid frames: every channel and answer we use, every trap, and any bytes at all."""

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
    BookSnapshot,
    Candles,
    Funding,
    Link,
    Mark,
    OpenInterest,
    Positions,
    Trade,
    Trades,
)
from powderkeg.instruments import Instrument
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, Venue
from powderkeg.venues.hyperliquid.stream import Hyperliquid
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
    venue: Venue = Hyperliquid()
    assert venue.name == "hyperliquid"
    assert venue.symbol("BTC") == "BTC"
    assert VENUES["hyperliquid"]("BTC").liquidations == "none"


@pytest.mark.parametrize(("side", "taker"), [("B", "buy"), ("A", "sell")])
def test_side_b_is_a_taker_who_bought_and_side_a_one_who_sold(side, taker):
    (event,) = Hyperliquid().read(trades(row(side=side)), SEEN)
    at = 1_737_918_847_000 * MS
    assert event == Trade("hyperliquid:BTC", at, SEEN, 105056.0, 0.5, taker)


def test_users_are_public_and_need_not_be_there():
    bare = {name: message for name, message in row().items() if name not in {"users", "hash"}}
    assert Hyperliquid().read(trades(bare), SEEN) == Hyperliquid().read(trades(row()), SEEN)


def test_the_first_batch_is_history_and_is_used_as_far_as_it_is_new():
    venue = Hyperliquid()
    venue.read(trades(row(tid=7, time=2_000)), SEEN)
    history = [row(tid=5, time=1_000), row(tid=7, time=2_000), row(tid=9, time=3_000)]
    (event,) = venue.read(trades(*history), SEEN)
    assert (event.event_time, type(event)) == (3_000 * MS, Trade)
    assert venue.skipped == {"duplicate trade": 1, "trade older than the newest known": 1}


def test_a_trade_is_counted_once_whatever_order_the_batches_come_in():
    venue = Hyperliquid()
    recent = [row(tid=3, time=3_000), row(tid=2, time=2_000), row(tid=1, time=1_000)]
    (event,) = venue.read(json.dumps(recent).encode(), SEEN, "trades:BTC")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [1_000 * MS, 2_000 * MS, 3_000 * MS]
    assert venue.read(trades(row(tid=2, time=2_000), row(tid=3, time=3_000)), SEEN) == []
    (event,) = venue.read(trades(row(tid=4, time=3_000)), SEEN)
    assert event.event_time == 3_000 * MS


def test_trades_of_the_same_instant_are_different_trades():
    (event,) = Hyperliquid().read(trades(row(tid=1), row(tid=2, side="A"), row(tid=3)), SEEN)
    assert isinstance(event, Trades)
    assert event.sizes.tolist() == [0.5, -0.5, 0.5]


def test_each_coin_has_its_own_newest_trade():
    venue = Hyperliquid()
    venue.read(trades(row(tid=1, time=5_000)), SEEN)
    (event,) = venue.read(trades(row(tid=2, time=1_000, coin="ETH")), SEEN)
    assert event.market == "hyperliquid:ETH"


def test_recent_trades_of_another_coin_are_unreadable():
    with pytest.raises(WireError, match="expected rows of ETH, found"):
        Hyperliquid().read(json.dumps([row()]).encode(), SEEN, "trades:ETH")


def test_every_book_is_a_whole_one_without_a_number():
    (event,) = Hyperliquid().read(MESSAGES[5], SEEN)
    bids, asks = ((59.8, 3.4), (59.778, 1.6)), ((59.811, 2.9), (59.832, 17.6))
    at = 1730160007687 * MS
    assert event == BookSnapshot("hyperliquid:BANANA", at, SEEN, bids, asks, 0)
    assert Hyperliquid().snapshot("BTC") == ()
    assert Hyperliquid().reply(MESSAGES[5]) == b""


def test_a_context_carries_no_time_so_it_is_as_of_when_we_saw_it():
    mark, funding, interest = Hyperliquid().read(CONTEXT, SEEN)
    assert mark == Mark("hyperliquid:BTC", SEEN, SEEN, 105010.0, 105000.0)
    assert interest == OpenInterest("hyperliquid:BTC", SEEN, SEEN, 18617.46)
    assert isinstance(funding, Funding)


def test_funding_is_the_rate_of_one_hour():
    _, funding, _ = Hyperliquid().read(CONTEXT, SEEN)
    assert funding == Funding("hyperliquid:BTC", SEEN, SEEN, 0.0000125, HOUR)
    raw = (FRAMES / "http_funding_history.json").read_bytes()
    past = Hyperliquid().read(raw, SEEN, "funding:BTC")
    assert [type(each) for each in past] == [Funding] * 3
    assert past[1] == Funding("hyperliquid:BTC", 1769912400000 * MS, SEEN, -0.0000081, HOUR)


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
    venue = Hyperliquid()
    assert venue.read(raw, SEEN, channel) == []
    assert venue.skipped == {reason: 1}


def test_a_refused_subscription_is_reported_with_the_venues_message():
    sent = "Invalid subscription " * 20
    (event,) = Hyperliquid().read(frame("error", sent), SEEN)
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
        Hyperliquid().read(raw, SEEN)


def bar(start, minutes=1, **more):
    message = {"t": start, "T": start + minutes * 60_000 - 1, "s": "BTC", "i": f"{minutes}m"}
    return message | {"o": "10", "h": "12", "l": "9", "c": "11", "v": "4", "n": 3} | more


def candles(*bars, seen=NOW, channel="candles:BTC"):
    return Hyperliquid().read(json.dumps(bars).encode(), seen, channel)


def test_candles_are_one_event_in_order_without_the_bar_that_runs():
    start = 1_769_915_880_000
    (event,) = candles(bar(start + 60_000, v="6"), bar(start), bar(start + 180_000))
    assert isinstance(event, Candles)
    assert (event.market, event.span, event.received_time) == ("hyperliquid:BTC", MINUTE, NOW)
    assert event.times.tolist() == [start * MS, (start + 60_000) * MS]
    assert event.event_time == (start + 120_000) * MS
    assert (event.volume.tolist(), event.buy.tolist()) == ([4.0, 6.0], [2.0, 3.0])
    assert (event.mark_low[0], event.mark_high[0], event.mark[0]) == (9.0, 12.0, 11.0)
    assert np.isnan(event.oi).all()
    assert candles() == []


def test_the_length_of_coarse_candles_is_read_from_them():
    (event,) = candles(bar(1_769_914_800_000, 15))
    assert isinstance(event, Candles)
    assert event.span == 15 * MINUTE


@pytest.mark.parametrize(
    ("bars", "why"),
    [
        ([bar(0), bar(60_000, 5)], "bars of one length"),
        ([bar(0, 7)], "bars of one length"),
        ([bar(0, h="10.5")], "low <= open, close <= high"),
    ],
)
def test_bars_that_cannot_be_are_unreadable(bars, why):
    with pytest.raises(WireError, match=why):
        candles(*bars)


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


def test_meta_gives_instruments_without_delisted_ones():
    venue = Hyperliquid()
    assert venue.read(json.dumps(META).encode(), SEEN, "instruments") == []
    assert venue.instruments == {
        "BTC": Instrument("hyperliquid:BTC", "BTC", "hyperliquid", "perpetual", True, 1.0, 0.1),
        "DOGE": Instrument("hyperliquid:DOGE", "DOGE", "hyperliquid", "perpetual", True, 1.0, 1e-6),
    }


def test_maintenance_is_half_the_initial_margin_at_the_greatest_leverage():
    venue = Hyperliquid()
    venue.read(json.dumps(META).encode(), SEEN, "instruments")
    low, high = venue.tiers["BTC"].tiers
    assert (low.floor, low.cap, low.leverage, low.rate, low.deduction) == (0, 1.5e8, 40, 0.0125, 0)
    assert (high.leverage, high.rate, high.deduction) == (20, 0.025, pytest.approx(1_875_000))
    assert venue.tiers["BTC"].continuous
    (only,) = venue.tiers["DOGE"].tiers
    assert (only.leverage, only.rate) == (10, 0.05)
    assert venue.tiers["DOGE"].valid_from == SEEN
    venue.read((FRAMES / "http_meta_perp_sample.json").read_bytes(), SEEN, "instruments")
    assert sorted(venue.tiers) == ["ATOM", "BTC", "ETH"]


@pytest.mark.parametrize("bounds", [["1", "2"], ["0", "0"], ["0", "5", "4"]])
def test_margin_tiers_that_do_not_rise_from_nothing_are_unreadable(bounds):
    steps = [{"lowerBound": bound, "maxLeverage": 5} for bound in bounds]
    meta = {"universe": META["universe"][:1], "marginTables": [[56, {"marginTiers": steps}]]}
    with pytest.raises(WireError, match="margin tiers that rise from 0"):
        Hyperliquid().read(json.dumps(meta).encode(), SEEN, "instruments")


def test_one_socket_carries_trades_book_and_context_of_each_coin():
    (stream,) = Hyperliquid().streams(["BTC", "ETH"])
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


def test_instruments_are_asked_by_the_hour_and_trades_once():
    (poll,) = Hyperliquid().polls(["BTC"])
    assert (poll.url, poll.body) == ("https://api.hyperliquid.xyz/info", b'{"type":"meta"}')
    assert (poll.channel, poll.every) == ("instruments", HOUR)
    (recent,) = Hyperliquid().recent("BTC")
    assert json.loads(recent.body) == {"type": "recentTrades", "coin": "BTC"}
    assert (recent.channel, recent.every) == ("trades:BTC", 0)


def test_an_exchange_of_others_is_asked_for_what_it_lists_and_changes_no_other():
    venue = Hyperliquid()
    own, other = venue.polls(["BTC", "xyz:TSLA"])
    assert (own.channel, other.channel) == ("instruments", "instruments:xyz")
    assert json.loads(other.body) == {"type": "meta", "dex": "xyz"}
    assert [each.market for each in other.channels] == ["hyperliquid:xyz:TSLA"]
    listed = {"name": "xyz:TSLA", "szDecimals": 2, "maxLeverage": 10}
    venue.read(json.dumps(META).encode(), SEEN, own.channel)
    venue.read(json.dumps({"universe": [listed]}).encode(), SEEN, other.channel)
    assert set(venue.instruments) == set(venue.tiers) == {"BTC", "DOGE", "xyz:TSLA"}
    venue.read(json.dumps({"universe": []}).encode(), SEEN, own.channel)
    assert set(venue.instruments) == set(venue.tiers) == {"xyz:TSLA"}


def test_positions_of_watched_accounts_are_emitted():
    """See test_hyperliquid_accounts.py."""
    venue = Hyperliquid()
    (poll,) = venue.watch(["0x" + "ab" * 20])
    held = {"coin": "BTC", "szi": "-1", "entryPx": "100", "liquidationPx": None}
    message = json.dumps({"assetPositions": [{"position": held}], "time": 1}).encode()
    (event,) = venue.read(message, SEEN, poll.channel)
    assert isinstance(event, Positions)
    assert event.market == "hyperliquid:BTC"


@given(st.integers(1_600_000_000, 1_800_000_000), st.integers(1, 120 * 86_400))
def test_the_past_is_asked_without_holes_as_far_as_candles_reach(until, length):
    until, since = until * 10**6, (until - length) * 10**6
    asked = [json.loads(poll.body) for poll in Hyperliquid().past("BTC", since, until)]
    bars = [each["req"] for each in asked if each["type"] == "candleSnapshot"]
    assert bars[0]["startTime"] == max(since, until - 52 * DAY) // MS
    assert bars[-1]["endTime"] == until // MS - 1
    for before, after in pairwise(bars):
        assert before["endTime"] + 1 == after["startTime"]
        assert after["startTime"] % 900_000 == 0
    for each in bars:
        span = {"1m": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE}[each["interval"]]
        assert until - each["startTime"] * MS <= 5000 * span
    hours = [each for each in asked if each["type"] == "fundingHistory"]
    assert (hours[0]["startTime"], hours[-1]["endTime"]) == (since // MS, until // MS - 1)
    assert all(each["endTime"] - each["startTime"] < 500 * 3_600_000 for each in hours)


def test_a_request_for_candles_costs_more_the_more_it_asks():
    polls = Hyperliquid().past("BTC", NOW - 3 * DAY, NOW)
    assert [poll.weight for poll in polls] == [20 + 3 * 1440 // 60, 20 + 72 // 20]


def test_recorded_single_messages_can_be_read_and_those_of_spot_are_left_out():
    venue = Hyperliquid()
    kinds = {type(event).__name__ for raw in MESSAGES for event in venue.read(raw, SEEN)}
    assert kinds == {"Trade", "Trades", "BookSnapshot", "Mark", "Funding", "OpenInterest"}
    assert venue.skipped == {"channel activeSpotAssetCtx": 1, "channel bbo": 2}


def test_a_recorded_stream_gives_books_that_are_never_crossed_and_trades_within_them():
    venue, book = Hyperliquid(), Book("hyperliquid:BTC")
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
        events = Hyperliquid().read(raw, SEEN, channel)
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


def test_what_a_reader_remembers_lets_another_go_on():
    one, other = Hyperliquid(), Hyperliquid()
    one.read(trades(row()), SEEN)
    other.load_state(one.state_dict())
    assert other.read(trades(row()), SEEN) == []


def test_an_unreadable_trade_is_skipped_and_the_rest_read():
    venue = Hyperliquid()
    rows = [row(tid=1), row(tid=2, coin=""), row(tid=3, px="0"), row(tid=4, time="never")]
    (event,) = venue.read(trades(*rows), SEEN)
    assert isinstance(event, Trade)
    assert venue.skipped == {UNREADABLE: 3}


def test_a_row_of_another_coin_costs_no_row_of_ours():
    venue = Hyperliquid()
    rows = [row(tid=1), row(tid=2, coin="ETH")]
    (event,) = venue.read(json.dumps(rows).encode(), SEEN, "trades:BTC")
    assert event.market == "hyperliquid:BTC"
    assert venue.skipped == {"row of another coin": 1}


def test_an_unreadable_margin_table_or_coin_is_skipped():
    venue = Hyperliquid()
    steps = [{"lowerBound": bound, "maxLeverage": 5} for bound in ("1", "2")]
    meta = {
        "universe": [*META["universe"], {"name": ""}],
        "marginTables": [[56, {"marginTiers": steps}]],
    }
    assert venue.read(json.dumps(meta).encode(), SEEN, "instruments") == []
    assert set(venue.instruments) == {"BTC", "DOGE"}
    assert set(venue.tiers) == {"DOGE"}
    assert venue.skipped == {UNREADABLE: 2}
