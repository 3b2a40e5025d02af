"""Bitget frames: dollars, chains of books, three generations of shapes, and any bytes at all."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    BookDelta,
    BookSnapshot,
    Funding,
    Link,
    Liquidation,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)
from powderkeg.history.snapshots import CODEC
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.bitget.stream import bitget_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "bitget"
V3 = (FRAMES / "v3_messages.jsonl").read_bytes().splitlines()
V2 = (FRAMES / "v2_messages.jsonl").read_bytes().splitlines()
V1 = (FRAMES / "v1_stream_20220407.jsonl").read_bytes().splitlines()
SEEN = 1_777_358_898_000_000
TS = 1_777_358_897_000
MS = 1000
BTC = "BTCUSDT"


def bitget() -> VenueReader:
    return bitget_reader()


def frame(topic: str, rows: object, **more: object) -> bytes:
    arg = {"instType": "usdt-futures", "topic": topic, "symbol": BTC}
    return json.dumps({"action": "update", "arg": arg, "data": rows, "ts": TS} | more).encode()


def trade(number: int, **more: object) -> dict[str, object]:
    row = {"i": str(number), "p": "76631.3", "v": "0.01", "S": "buy", "T": str(TS + number)}
    return row | {"L": "7", "isRPI": "no"} | more


def book(seq: int, pseq: int, action: str = "update") -> bytes:
    row = {"a": [["101", "2"]], "b": [["100", "1"], ["99", "0"]], "checksum": 0}
    row |= {"seq": seq, "pseq": pseq, "ts": str(TS)}
    return frame("books", [row], action=action)


def liquidation(**more: object) -> dict[str, object]:
    row = {"symbol": BTC, "side": "buy", "price": "80000", "amount": "4000", "ts": str(TS)}
    return row | more


def liquidations(*rows: dict[str, object]) -> bytes:
    arg = {"instType": "usdt-futures", "topic": "liquidation"}
    return json.dumps({"action": "update", "arg": arg, "data": rows, "ts": TS}).encode()


def test_a_recorded_trade_is_in_coins():
    (event,) = bitget().read(V3[0], SEEN)
    assert event == Trade(f"bitget:{BTC}", 1777358881008 * MS, SEEN, 76631.3, 0.01, "buy")


def test_repeated_history_counts_once_though_ids_need_not_rise():
    venue = bitget()
    (event,) = venue.read(frame("publicTrade", [trade(2), trade(1, S="sell")]), SEEN)
    assert isinstance(event, Trades)
    assert event.sizes.tolist() == [-0.01, 0.01]
    assert venue.read(frame("publicTrade", [trade(2)]), SEEN) == []
    assert venue.read(frame("publicTrade", [trade(0)]), SEEN)
    assert venue.state.skipped == {"duplicate trade": 1}


def test_the_recorded_snapshot_of_trades_repeats_the_recorded_update():
    venue = bitget()
    assert venue.read(V3[0], SEEN)
    assert venue.read(V3[1], SEEN) == []


def test_the_amount_of_a_recorded_liquidation_is_dollars_and_its_side_the_position():
    first, second = bitget().read(V3[6], SEEN)
    assert first == Liquidation(
        "bitget:APEUSDT", 1777358886549 * MS, SEEN, 0.1649, 13.70319 / 0.1649, "long"
    )
    assert isinstance(second, Liquidation)
    assert second.size == pytest.approx(286.5)
    assert not second.bankruptcy


def test_a_liquidated_short_is_reported_as_sell():
    (event,) = bitget().read(liquidations(liquidation(side="sell")), SEEN)
    assert isinstance(event, Liquidation)
    assert (event.position_side, event.size) == ("short", 0.05)


def test_duplicate_liquidations_count_once():
    venue = bitget()
    raw = liquidations(liquidation(), liquidation(side="sell"), liquidation(symbol="ETHUSDT"))
    assert len(venue.read(raw, SEEN)) == 3
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {"duplicate liquidation": 3}


def test_a_recorded_ticker_is_mark_funding_and_open_interest_in_coins():
    mark, funding, interest = bitget().read(V3[5], SEEN)
    market, at = f"bitget:{BTC}", 1777358880084 * MS
    assert mark == Mark(market, at, SEEN, 76631.3, pytest.approx(76671.43816860557))
    assert funding == Funding(market, at, SEEN, -0.00003, 8 * HOUR)
    assert interest == OpenInterest(market, at, SEEN, 29539.3825)


def test_a_recorded_book_is_best_first_and_carries_the_ids_of_the_venue():
    (whole,) = bitget().read(V3[2], SEEN)
    (change,) = bitget().read(V3[3], SEEN)
    assert isinstance(whole, BookSnapshot)
    assert whole.update == 483814309734
    assert whole.bids[0] == (76742.8, 2.8986)
    assert whole.asks[0] == (76742.9, 4.2465)
    assert isinstance(change, BookDelta)
    assert (change.first, change.last, change.previous) == (
        483415085712,
        483415085712,
        483415077719,
    )


def test_a_change_follows_where_its_pseq_is_the_seq_before():
    venue, kept = bitget(), Book(f"bitget:{BTC}")
    frames = book(50, 0, "snapshot"), book(57, 50), book(63, 57), book(90, 70)
    events = [venue.read(raw, SEEN)[0] for raw in frames]
    wishes = [kept.apply(event) is not None for event in events]  # type: ignore[arg-type]
    assert wishes == [False, False, False, True]


@pytest.mark.parametrize("raw", V2)
def test_v2_frames_have_another_shape_and_are_left_out(raw):
    venue = bitget()
    assert venue.read(raw, SEEN) == []
    message = json.loads(raw)
    counted = {} if "event" in message else {f"V1 or V2 channel {message['arg']['channel']}": 1}
    assert venue.state.skipped == counted


def test_v1_frames_are_left_out_and_never_misread():
    venue = bitget()
    for raw in V1:
        assert venue.read(raw, SEEN) == []
    assert sum(venue.state.skipped.values()) == sum(b'"event"' not in raw for raw in V1)


def test_frames_of_other_products_share_topics_and_are_left_out():
    venue = bitget()
    for product in ("coin-futures", "spot", "usdc-futures"):
        raw = V3[0].replace(b"usdt-futures", product.encode())
        assert venue.read(raw, SEEN) == []
    assert set(venue.state.skipped) == {
        f"product {p}" for p in ("coin-futures", "spot", "usdc-futures")
    }


@pytest.mark.parametrize(("raw", "reason"), [(V3[4], "topic books1"), (b"{}", "no topic")])
def test_what_we_do_not_use_is_counted_and_left_out(raw, reason):
    venue = bitget()
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {reason: 1}


def test_acknowledgements_and_the_pong_that_is_no_json_say_nothing():
    venue = bitget()
    assert venue.read(b"pong", SEEN) == []
    assert venue.read(b'{"event":"subscribe","arg":{"topic":"books"}}', SEEN) == []
    assert venue.state.skipped == {}


@pytest.mark.parametrize("code", [b"30001", b'"30001"'])
def test_a_refused_subscription_is_reported_with_the_venues_message(code):
    raw = b'{"event":"error","arg":{"topic":"x"},"code":' + code + b',"msg":"no such topic"}'
    (event,) = bitget().read(raw, SEEN)
    assert event == Link("bitget", SEEN, SEEN, "refused", "no such topic")


@pytest.mark.parametrize(
    "raw",
    [
        frame("publicTrade", [trade(1, p="0")]),
        frame("publicTrade", [trade(1, v="-1")]),
        frame("publicTrade", [trade(1, p="nan")]),
        frame("publicTrade", [trade(1, S="long")]),
        V3[5].replace(b'"ts":', b'"t":'),
        frame("publicTrade", [trade(1)]).replace(b"BTCUSDT", b"btc usdt"),
        frame("ticker", []),
        V3[5].replace(b'"-0.00003"', b'"1.5"'),
        V3[3].replace(b"pseq", b"kseq"),
        liquidations(liquidation(amount="0")),
        liquidations(liquidation(symbol="btc:usdt")),
    ],
)
def test_what_cannot_be_is_unreadable(raw):
    with pytest.raises(WireError, match="bitget: unreadable frame"):
        bitget().read(raw, SEEN)


def test_sockets_are_asked_for_five_subscriptions_a_message_and_all_liquidations_once():
    venue = VENUES["bitget"].reader("")
    assert venue.symbol("BTC") == BTC
    symbols = [f"C{n}USDT" for n in range(20)]
    first, second = venue.streams(symbols)
    assert first.url == "wss://ws.bitget.com/v3/ws/public"
    assert (first.ping, first.ping_every, first.pause) == (b"ping", 30_000_000, 100_000)
    sent = [json.loads(raw) for stream in (first, second) for raw in stream.subscribe]
    assert all(each["op"] == "subscribe" and len(each["args"]) <= 5 for each in sent)
    args = [arg for each in sent for arg in each["args"]]
    assert len(args) == 20 * 3 + 1
    assert args.count({"instType": "usdt-futures", "topic": "liquidation"}) == 1
    assert {"instType": "usdt-futures", "topic": "books", "symbol": "C19USDT"} in args
    liquidation_markets = [each.market for each in first.channels if each.kind == "liquidations"]
    assert liquidation_markets == [f"bitget:{each}" for each in symbols]
    assert not any(each.kind == "liquidations" for each in second.channels)


def test_a_lost_book_is_asked_for_by_leaving_and_joining_its_topic():
    sent = [json.loads(raw) for raw in bitget().snapshot(BTC)]
    args = [{"instType": "usdt-futures", "topic": "books", "symbol": BTC}]
    assert sent == [{"op": "unsubscribe", "args": args}, {"op": "subscribe", "args": args}]


def test_no_frame_wants_an_answer():
    assert bitget().reply(b"pong") == b""


def test_requests_and_their_answers_pass_through():
    venue = bitget()
    assert venue.polls([BTC])[0].channel == "instruments"
    assert venue.past(BTC, SEEN - HOUR, SEEN)[0].channel == f"candles:{BTC}"
    assert [each.channel for each in venue.recent(BTC)] == [f"trades:{BTC}"]
    raw = b'{"code":"00000","msg":"success","data":{"serverTime":"1777358897000"}}'
    assert venue.read(raw, SEEN, "clock") == []
    assert venue.state.server_time == TS * MS


def test_a_restored_reader_continues_as_if_never_stopped():
    one, other = bitget(), bitget()
    message = frame("publicTrade", [trade(1)]), liquidations(liquidation())
    for raw in message:
        assert one.read(raw, SEEN)
    row = {"longAccountRatio": "0.58", "ts": str(TS)}
    ratio = json.dumps({"code": "00000", "msg": "success", "data": [row]}).encode()
    assert one.read(ratio, SEEN, f"ratio:{BTC}")
    other.state.load_state(CODEC.unpack(CODEC.pack(one.state.state_dict())))
    assert [other.read(raw, SEEN) for raw in message] == [[], []]
    assert other.read(ratio, SEEN, f"ratio:{BTC}") == []
    assert other.read(V3[5], SEEN) == one.read(V3[5], SEEN)


WIRE = [
    *V3,
    *V2[:3],
    *V1[:12],
    book(50, 0, "snapshot"),
    liquidations(liquidation(), liquidation(side="sell")),
]


def readable(raw: bytes) -> None:
    fuzz.readable(bitget(), raw, SEEN)


@given(st.binary(max_size=300))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"arg":{"instType":"usdt-futures","topic":"books"},"data":' + b"[" * 10_000)
@example(b'{"arg":"\xff"}')
def test_any_bytes_are_events_or_a_wire_error(raw):
    readable(raw)


@settings(max_examples=300)
@given(st.sampled_from(WIRE), fuzz.wounds())
def test_a_damaged_frame_is_events_or_a_wire_error(raw, wound):
    readable(fuzz.hurt(raw, wound))


@given(st.sampled_from(V3), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(raw, pick):
    message = json.loads(raw)
    fuzz.change(pick, [message, message["arg"], message["data"][0]])
    readable(json.dumps(message).encode())


def test_a_stamp_of_a_frame_that_cannot_be_read_costs_no_row_that_has_its_own():
    (event,) = bitget_reader().read(frame("publicTrade", [trade(1)], ts="never"), SEEN)
    assert event.event_time == (TS + 1) * 1000


def test_a_symbol_that_cannot_be_read_costs_no_other_liquidation_of_the_frame():
    rows = [
        {"symbol": BTC, "side": "buy", "price": "93000", "amount": "250000", "ts": "1790000001000"},
        {"symbol": "币安人生USDT", "side": "sell", "price": "0.1", "amount": "1", "ts": "179"},
        {"symbol": "ETHUSDT", "side": "sell", "price": "0.1", "amount": "1", "ts": "never"},
    ]
    arg = {"instType": "usdt-futures", "topic": "liquidation"}
    message = {"action": "update", "arg": arg, "data": rows, "ts": 1790000001000}
    venue = bitget_reader()
    (event,) = venue.read(json.dumps(message).encode(), SEEN)
    at = 1790000001000 * 1000
    size = 2.6881720430107525
    assert event == Liquidation("bitget:BTCUSDT", at, SEEN, 93000.0, size, "long")
    assert venue.state.skipped == {UNREADABLE: 2}
