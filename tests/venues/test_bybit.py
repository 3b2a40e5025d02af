"""Bybit frames: every channel, every trap, both categories, and any bytes at all."""

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
from powderkeg.venues.base import Poll
from powderkeg.venues.bybit.stream import bybit_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "bybit"
MESSAGES = [json.loads(each) for each in (FRAMES / "v5_messages.jsonl").read_text().splitlines()]
DOCUMENTED = json.loads((FRAMES / "documented.json").read_text())
BOOK = (FRAMES / "book_xrpusdt_20241201.jsonl").read_bytes().splitlines()
SEEN = 1_740_480_208_000_000
TS = 1_740_480_207_000
MS = 1000


def linear() -> VenueReader:
    return bybit_reader("linear")


def inverse() -> VenueReader:
    return bybit_reader("inverse")


def recorded(topic: str) -> bytes:
    return json.dumps(next(each for each in MESSAGES if each["topic"] == topic)).encode()


def frame(topic: str, data: object, **more: object) -> bytes:
    return json.dumps({"topic": topic, "ts": TS, "data": data} | more).encode()


def trade(**more: object) -> dict[str, object]:
    row = {"T": TS, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "20000", "i": "a", "BT": False}
    return row | more


def ticker(**data: object) -> bytes:
    return frame("tickers.BTCUSDT", data, type="delta")


def book(u: int, kind: str = "delta", depth: int = 200, **more: object) -> bytes:
    data = {"s": "BTCUSDT", "b": [["100", "1"]], "a": [["101", "2"]], "u": u, "seq": 9}
    return frame(f"orderbook.{depth}.BTCUSDT", data, type=kind, **more)


def test_a_recorded_frame_of_three_trades_is_one_event_with_taker_buys_positive():
    (event,) = inverse().read(recorded("publicTrade.BTCUSD"), SEEN)
    assert isinstance(event, Trades)
    assert event.market == "bybit-inverse:BTCUSD"
    assert event.event_time == event.times[-1] == 1680673823564 * MS
    assert event.sizes.tolist() == [pytest.approx(n / 28560.5) for n in (5823, 3, 5593)]


def test_a_recorded_single_trade_of_a_linear_market_is_in_coins():
    (event,) = linear().read(recorded("publicTrade.LTCUSDT"), SEEN)
    assert event == Trade("bybit:LTCUSDT", 1680688979983 * MS, SEEN, 94.53, 0.4, "buy")


@pytest.mark.parametrize("venue", [linear(), inverse()])
def test_a_taker_sell_is_a_sell(venue):
    (event,) = venue.read(frame("publicTrade.BTCUSDT", [trade(S="Sell")]), SEEN)
    assert isinstance(event, Trade)
    assert event.taker == "sell"
    assert event.size == (0.5 if venue.name == "bybit" else 0.5 / 20000)


def test_a_duplicate_trade_counts_once_but_each_symbol_has_its_own_ids():
    venue = linear()
    raw = frame("publicTrade.BTCUSDT", [trade(), trade(i="b")])
    assert len(venue.read(raw, SEEN)) == 1
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {"duplicate trade": 2}
    assert venue.read(frame("publicTrade.ETHUSDT", [trade()]), SEEN)


def test_a_block_trade_is_no_print_and_is_counted():
    venue = linear()
    (event,) = venue.read(frame("publicTrade.BTCUSDT", [trade(BT=True), trade(i="b")]), SEEN)
    assert isinstance(event, Trade)
    assert venue.state.skipped == {"block trade": 1}


def test_a_liquidated_long_is_reported_as_buy():
    row = {"T": TS, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "100.5"}
    (event,) = linear().read(frame("allLiquidation.BTCUSDT", [row]), SEEN)
    assert event == Liquidation("bybit:BTCUSDT", TS * MS, SEEN, 100.5, 2.0, "long", bankruptcy=True)


def test_a_recorded_liquidation_of_a_short_is_reported_as_sell_at_its_bankruptcy_price():
    (event,) = linear().read(recorded("allLiquidation.PIPPINUSDT"), SEEN)
    assert isinstance(event, Liquidation)
    assert (event.position_side, event.price, event.size) == ("short", 0.02456, 2846.0)
    assert event.bankruptcy


def test_all_liquidations_of_a_batch_are_read_and_a_duplicate_batch_counts_once():
    venue = linear()
    rows = [{"T": TS, "s": "X", "S": "Buy", "v": str(n // 2), "p": "7"} for n in range(2, 7)]
    raw = frame("allLiquidation.BTCUSDT", rows)
    assert [event.size for event in venue.read(raw, SEEN)] == [1, 1, 2, 2, 3]
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {"duplicate liquidation": 5}


def test_an_inverse_liquidation_is_in_dollars():
    row = {"T": TS, "s": "BTCUSD", "S": "Sell", "v": "5000", "p": "20000"}
    (event,) = inverse().read(frame("allLiquidation.BTCUSD", [row]), SEEN)
    assert isinstance(event, Liquidation)
    assert event.size == 0.25


def test_inverse_book_levels_are_dollars_and_a_removal_stays_one():
    data = {"b": [["20000", "1000"], ["19999", "0"]], "a": [], "u": 7}
    (event,) = inverse().read(frame("orderbook.200.BTCUSD", data, type="delta"), SEEN)
    assert isinstance(event, BookDelta)
    assert event.bids == ((20000.0, 0.05), (19999.0, 0.0))


def test_a_change_of_the_book_follows_the_one_numbered_just_below():
    (event,) = linear().read(book(8), SEEN)
    levels = ((100.0, 1.0),), ((101.0, 2.0),)
    assert event == BookDelta("bybit:BTCUSDT", TS * MS, SEEN, *levels, 8, 8, 7)


def test_the_time_of_a_book_is_that_of_the_matching_engine_where_given():
    (event,) = linear().read(book(8, cts=TS - 3), SEEN)
    assert event.event_time == (TS - 3) * MS


def test_a_snapshot_may_come_at_any_time_and_replaces_the_book():
    venue, kept = linear(), Book("bybit:BTCUSDT")
    for raw in (book(5, "snapshot"), book(6), book(900, "snapshot"), book(901)):
        (event,) = venue.read(raw, SEEN)
        assert isinstance(event, BookSnapshot | BookDelta)
        assert kept.apply(event) is None
    assert kept.update == 901


def test_u_of_one_is_a_snapshot_after_a_restart_whatever_its_type_says():
    venue, kept = linear(), Book("bybit:BTCUSDT")
    for raw in (book(5, "snapshot"), book(6), book(1), book(2)):
        (event,) = venue.read(raw, SEEN)
        assert isinstance(event, BookSnapshot | BookDelta)
        assert kept.apply(event) is None
    assert kept.update == 2


def test_a_lost_change_of_the_book_is_noticed():
    venue, kept = linear(), Book("bybit:BTCUSDT")
    events = [venue.read(raw, SEEN)[0] for raw in (book(5, "snapshot"), book(6), book(8))]
    wishes = [kept.apply(event) for event in events]  # type: ignore[arg-type]
    assert wishes[:2] == [None, None]
    assert wishes[2] is not None


def test_a_book_of_another_depth_has_other_numbers_and_is_left_out():
    venue = linear()
    assert venue.read(book(5, "snapshot"), SEEN)
    assert venue.read(book(900, "snapshot", depth=50), SEEN) == []
    assert venue.state.skipped == {"book of another depth, 50": 1}


def test_a_recorded_book_has_no_hole_and_never_crosses():
    """One snapshot and the changes of 2.5 seconds of real wire."""
    venue, kept = linear(), Book("bybit:XRPUSDT")
    for raw in BOOK:
        (event,) = venue.read(raw, SEEN)
        assert isinstance(event, BookSnapshot | BookDelta)
        assert kept.apply(event) is None
    assert kept.status == "live"
    assert kept.counts == dict.fromkeys(kept.counts, 0)
    assert kept.best() is not None


def test_a_recorded_linear_ticker_is_mark_funding_and_half_of_both_sides():
    raw = recorded("tickers.BTCUSDT")
    mark, funding, interest = linear().read(raw, SEEN)
    market, at = "bybit:BTCUSDT", 1680673821770 * MS
    assert mark == Mark(market, at, SEEN, 28552.81, 28562.25)
    assert funding == Funding(market, at, SEEN, 0.0001, 8 * HOUR)
    assert interest == OpenInterest(market, at, SEEN, 52774.528 / 2)


def test_the_single_side_goes_before_half_of_both():
    (event,) = linear().read(ticker(openInterest="10", singleOpenInterest="5.5"), SEEN)
    assert isinstance(event, OpenInterest)
    assert event.size == 5.5


def test_inverse_open_interest_is_dollars_and_waits_for_a_mark():
    venue = inverse()
    assert venue.read(ticker(openInterest="4000"), SEEN) == []
    assert venue.state.skipped == {"open interest in dollars before a mark": 1}
    assert len(venue.read(ticker(markPrice="20"), SEEN)) == 1
    (event,) = venue.read(ticker(openInterest="4000"), SEEN)
    assert isinstance(event, OpenInterest)
    assert event.size == 100


def test_a_field_that_a_ticker_leaves_out_has_not_changed():
    venue = linear()
    venue.read(ticker(markPrice="20", indexPrice="21", fundingIntervalHour="4"), SEEN)
    assert venue.read(ticker(bid1Price="3"), SEEN) == []
    mark, funding = venue.read(ticker(markPrice="22", fundingRate="-0.01"), SEEN)
    assert mark == Mark("bybit:BTCUSDT", TS * MS, SEEN, 22.0, 21.0)
    assert funding == Funding("bybit:BTCUSDT", TS * MS, SEEN, -0.01, 4 * HOUR)


def test_a_recorded_dated_future_has_an_empty_funding_rate_and_so_no_funding():
    kinds = {type(each) for each in inverse().read(recorded("tickers.BTCUSDU23"), SEEN)}
    assert kinds == {Mark, OpenInterest}


@pytest.mark.parametrize(
    "wrong",
    [
        {"markPrice": "0"},
        {"markPrice": "nan"},
        {"indexPrice": "x"},
        {"fundingRate": "2"},
        {"fundingIntervalHour": "0"},
        {"openInterest": "-1"},
        {"singleOpenInterest": "inf"},
        {"markPrice": 5},
    ],
)
def test_a_ticker_with_an_impossible_number_is_unreadable(wrong):
    with pytest.raises(WireError, match="bybit: unreadable frame"):
        linear().read(ticker(**wrong), SEEN)


@pytest.mark.parametrize("wrong", [{"p": "0"}, {"v": "-1"}, {"p": "nan"}, {"v": "inf"}, {"S": "B"}])
def test_a_trade_without_a_real_price_size_and_side_is_unreadable(wrong):
    with pytest.raises(WireError):
        linear().read(frame("publicTrade.BTCUSDT", [trade(**wrong)]), SEEN)


@pytest.mark.parametrize("topic", ["publicTrade", "publicTrade.", "orderbook.200.", "tickers.b\n"])
def test_a_topic_without_a_symbol_is_unreadable(topic):
    with pytest.raises(WireError, match="expected a topic with a symbol"):
        linear().read(frame(topic, []), SEEN)


@pytest.mark.parametrize("ts", [0, "never", None])
def test_a_ticker_without_a_time_is_unreadable_and_trades_have_their_own(ts):
    with pytest.raises(WireError):
        linear().read(frame("tickers.BTCUSDT", {"markPrice": "1"}, ts=ts), SEEN)
    (event,) = linear().read(frame("publicTrade.BTCUSDT", [trade()], ts=ts), SEEN)
    assert event.event_time == TS * 1000


def test_an_acknowledgement_and_a_pong_say_nothing():
    venue = linear()
    assert venue.read(json.dumps(DOCUMENTED["ws_subscription_ack"]).encode(), SEEN) == []
    assert venue.read(b'{"success":true,"ret_msg":"pong","op":"ping"}', SEEN) == []
    assert venue.state.skipped == {}


def test_a_refused_subscription_is_reported_with_the_venues_message():
    (event,) = linear().read(json.dumps(DOCUMENTED["ws_subscription_failure"]).encode(), SEEN)
    sent = "Invalid topic: invalid.topic.BTCUSDT"
    assert event == Link("bybit", SEEN, SEEN, "refused", sent)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (json.dumps(DOCUMENTED["ws_kline"]).encode(), "channel kline"),
        (b'{"topic":"liquidation.XRPUSD","ts":1,"data":{}}', "channel liquidation"),
        (b"{}", "no topic"),
    ],
)
def test_what_we_do_not_use_is_counted_and_left_out(raw, reason):
    venue = linear()
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {reason: 1}


def test_frames_from_before_v5_are_left_out_or_unreadable_and_never_misread():
    venue = inverse()
    for raw in (FRAMES / "before_v5.jsonl").read_bytes().splitlines():
        try:
            assert venue.read(raw, SEEN) == []
        except WireError:
            continue
    assert sum(venue.state.skipped.values()) > 30


def test_each_category_has_its_symbols_its_socket_and_its_market_ids():
    for name, symbol in (("bybit", "BTCUSDT"), ("bybit-inverse", "BTCUSD")):
        venue = VENUES[name].reader("")
        assert venue.symbol("BTC") == symbol
        (stream,) = venue.streams([symbol])
        kind = "linear" if name == "bybit" else "inverse"
        assert stream.url == f"wss://stream.bybit.com/v5/public/{kind}"
        assert {channel.market for channel in stream.channels} == {f"{name}:{symbol}"}
        assert stream.ping == b'{"op":"ping"}'
        assert stream.ping_every == 20_000_000


def test_a_socket_is_asked_for_at_most_ten_topics_a_message_and_fifty_symbols():
    streams = linear().streams([f"C{n}USDT" for n in range(60)])
    assert len(streams) == 2
    sent = [json.loads(raw) for stream in streams for raw in stream.subscribe]
    assert all(each["op"] == "subscribe" and len(each["args"]) <= 10 for each in sent)
    topics = [topic for each in sent for topic in each["args"]]
    assert len(topics) == len(set(topics)) == 240
    assert "orderbook.200.C7USDT" in topics


def test_a_lost_book_is_asked_for_by_leaving_and_joining_its_topic():
    sent = [json.loads(raw) for raw in linear().snapshot("BTCUSDT")]
    assert sent == [
        {"op": "unsubscribe", "args": ["orderbook.200.BTCUSDT"]},
        {"op": "subscribe", "args": ["orderbook.200.BTCUSDT"]},
    ]


def test_no_frame_wants_an_answer():
    assert linear().reply(b"{}") == b""


def test_answers_are_read_by_the_name_of_their_request():
    venue = linear()
    polls = venue.polls(["BTCUSDT"])
    assert polls[0].channel == "instruments"
    assert all(isinstance(each, Poll) for each in venue.past("BTCUSDT", 0, HOUR))
    (recent,) = venue.recent("BTCUSDT")
    raw = json.dumps(DOCUMENTED["http_get_trades_recent"]).encode()
    (event,) = venue.read(raw, SEEN, recent.channel)
    assert isinstance(event, Trade)
    again = frame("publicTrade.BTCUSDT", [trade(i="a905d5c3-1ed0-4f37-83e4-9c73a2fe2f01")])
    assert venue.read(again, SEEN) == []
    listed = json.dumps(DOCUMENTED["http_get_instruments_linear"]).encode()
    assert venue.read(listed, SEEN, "instruments") == []
    assert set(venue.state.instruments) == {"BTCUSDT", "ETHUSDT"}
    assert venue.read(listed, SEEN, "clock") == []
    assert venue.state.server_time == 1_700_000_000_000_000


def test_a_restored_reader_continues_as_if_never_stopped():
    one, other = inverse(), inverse()
    frames = (ticker(markPrice="20"), book(5, "snapshot"), frame("publicTrade.BTCUSDT", [trade()]))
    liquidation = {"T": TS, "S": "Buy", "v": "2", "p": "100.5"}
    for raw in (*frames, frame("allLiquidation.BTCUSDT", [liquidation])):
        assert one.read(raw, SEEN)
    one.read(json.dumps(DOCUMENTED["http_get_instruments_inverse"]).encode(), SEEN, "instruments")
    other.state.load_state(CODEC.unpack(CODEC.pack(one.state.state_dict())))
    assert other.state.instruments == one.state.instruments
    assert other.read(frames[2], SEEN) == []
    assert other.read(book(5, "snapshot", depth=50), SEEN) == []
    assert other.read(frame("allLiquidation.BTCUSDT", [liquidation]), SEEN) == []
    assert other.read(ticker(openInterest="40"), SEEN) == one.read(ticker(openInterest="40"), SEEN)
    assert other.state.state_dict().keys() == one.state.state_dict().keys()


WIRE = [json.dumps(each).encode() for each in MESSAGES] + BOOK[1:4]


def readable(raw: bytes) -> None:
    for venue in (linear(), inverse()):
        fuzz.readable(venue, raw, SEEN)


@given(st.binary(max_size=300))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"topic":"publicTrade.BTCUSDT","ts":1,"data":' + b"[" * 10_000)
@example(b'{"topic":"\xff"}')
def test_any_bytes_are_events_or_a_wire_error(raw):
    readable(raw)


@settings(max_examples=300)
@given(st.sampled_from(WIRE), fuzz.wounds(900))
def test_a_damaged_frame_is_events_or_a_wire_error(raw, wound):
    readable(fuzz.hurt(raw, wound))


@given(st.sampled_from(MESSAGES), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(message, pick):
    message = json.loads(json.dumps(message))
    data = message["data"]
    fuzz.change(pick, [message, data[0] if isinstance(data, list) else data])
    readable(json.dumps(message).encode())


def test_an_unreadable_row_is_skipped_and_the_rest_read():
    venue = linear()
    rows = [trade(i="1"), trade(i="2", p="-5"), trade(i="3", T="never"), trade(i="4")]
    (event,) = venue.read(frame("publicTrade.BTCUSDT", rows), SEEN)
    assert len(event.times) == 2
    assert venue.state.skipped == {UNREADABLE: 2}
