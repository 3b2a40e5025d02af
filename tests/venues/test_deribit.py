"""Deribit frames: every channel and answer we use, every trap, and any bytes at all."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    BookDelta,
    BookSnapshot,
    Candles,
    Funding,
    Gap,
    Link,
    Liquidation,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.deribit.stream import deribit_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "deribit"
MESSAGES = (FRAMES / "messages.jsonl").read_bytes().splitlines()
SEEN = 1_766_500_000_000_000
MS = 1000
AT = 1_766_332_040_636


def sample(name):
    return (FRAMES / f"{name}.json").read_bytes()


def frame(channel, data, separators=(",", ":")):
    params = {"channel": channel, "data": data}
    call = {"jsonrpc": "2.0", "method": "subscription", "params": params}
    return json.dumps(call, separators=separators).encode()


def answer(result):
    return json.dumps({"jsonrpc": "2.0", "result": result, "usIn": 1, "usOut": 2}).encode()


def row(seq=10, symbol="BTC-PERPETUAL", **more):
    return {
        "instrument_name": symbol,
        "trade_seq": seq,
        "trade_id": str(seq),
        "timestamp": AT + seq,
        "price": 50_000.0,
        "amount": 1000.0,
        "direction": "buy",
        "index_price": 50_010.0,
    } | more


def trades(*rows, symbol="BTC-PERPETUAL"):
    return frame(f"trades.{symbol}.100ms", rows)


BOOK = {
    "type": "change",
    "instrument_name": "BTC-PERPETUAL",
    "timestamp": AT,
    "change_id": 12,
    "prev_change_id": 10,
    "bids": [["new", 50_000.0, 1000.0], ["delete", 49_000.0, 7.0]],
    "asks": [["change", 51_000.0, 5100.0]],
}
TICKER = {
    "timestamp": AT,
    "mark_price": 50_000.0,
    "index_price": 50_010.0,
    "open_interest": 1_000_000.0,
    "current_funding": 0.0001,
    "funding_8h": 0.0002,
    "last_price": None,
}


def test_it_is_a_venue():
    venue: VenueReader = deribit_reader()
    assert venue.name == "deribit"
    assert VENUES["deribit"].liquidations == "all"


def test_bitcoin_and_ether_are_inverse_and_every_other_coin_linear():
    symbols = [deribit_reader().symbol(coin) for coin in ("BTC", "ETH", "SOL")]
    assert symbols == ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL"]


def test_a_book_change_names_the_one_before_and_is_in_coins():
    (event,) = deribit_reader().read(frame("book.BTC-PERPETUAL.100ms", BOOK), SEEN)
    bids, asks = ((50_000.0, 0.02), (49_000.0, 0.0)), ((51_000.0, 0.1),)
    assert event == BookDelta("deribit:BTC-PERPETUAL", AT * MS, SEEN, bids, asks, 11, 12, 10)


def test_a_linear_book_is_in_coins_already():
    (event,) = deribit_reader().read(frame("book.SOL_USDC-PERPETUAL.100ms", BOOK), SEEN)
    assert isinstance(event, BookDelta)
    assert event.bids == ((50_000.0, 1000.0), (49_000.0, 0.0))


def test_the_first_book_is_a_snapshot_even_where_it_names_one_before():
    (event,) = deribit_reader().read(
        frame("book.BTC-PERPETUAL.100ms", BOOK | {"type": "snapshot"}), SEEN
    )
    assert isinstance(event, BookSnapshot)
    assert event.update == 12
    (event,) = deribit_reader().read(sample("ws_book_snapshot"), SEEN)
    assert isinstance(event, BookSnapshot)


def test_a_book_of_old_has_no_type_and_its_snapshot_no_one_before():
    kinds = [type(deribit_reader().read(raw, SEEN)[0]) for raw in MESSAGES[2:4]]
    assert kinds == [BookSnapshot, BookDelta]


def test_a_change_that_names_none_before_is_unreadable():
    with pytest.raises(WireError, match="name the one before"):
        deribit_reader().read(
            frame("book.BTC-PERPETUAL.100ms", BOOK | {"prev_change_id": None}), SEEN
        )


def test_a_chain_of_changes_keeps_the_book_live_and_a_lost_one_is_found():
    venue, book = deribit_reader(), Book("deribit:BTC-PERPETUAL")

    def apply(**more):
        raw = frame("book.BTC-PERPETUAL.100ms", BOOK | more)
        (event,) = venue.read(raw, SEEN)
        assert isinstance(event, BookDelta | BookSnapshot)
        return book.apply(event)

    assert apply(type="snapshot") is None
    assert apply(change_id=15, prev_change_id=12) is None
    wish = apply(change_id=20, prev_change_id=16)
    assert wish is not None
    assert book.status == "gap"
    forget, ask = (json.loads(message) for message in venue.snapshot("BTC-PERPETUAL"))
    assert (forget["method"], ask["method"]) == ("public/unsubscribe", "public/subscribe")
    assert ask["params"] == {"channels": ["book.BTC-PERPETUAL.100ms"]}
    assert apply(type="snapshot", change_id=30) is None
    assert book.status == "live"


def test_inverse_open_interest_is_dollars_over_the_mark():
    mark, funding, interest = deribit_reader().read(
        frame("ticker.BTC-PERPETUAL.100ms", TICKER), SEEN
    )
    market, at = "deribit:BTC-PERPETUAL", AT * MS
    assert mark == Mark(market, at, SEEN, 50_000.0, 50_010.0)
    assert funding == Funding(market, at, SEEN, 0.0001, 8 * HOUR)
    assert interest == OpenInterest(market, at, SEEN, 20.0)
    *_, interest = deribit_reader().read(frame("ticker.SOL_USDC-PERPETUAL.100ms", TICKER), SEEN)
    assert isinstance(interest, OpenInterest)
    assert interest.size == 1_000_000.0


def test_a_ticker_without_funding_gives_no_funding_event():
    bare = TICKER | {"current_funding": None}
    events = deribit_reader().read(frame("ticker.BTC-PERPETUAL.100ms", bare), SEEN)
    assert [type(each) for each in events] == [Mark, OpenInterest]


@pytest.mark.parametrize("topic", ["trades", "book", "ticker"])
def test_spaces_between_tokens_change_nothing(topic):
    data = {"trades": [row()], "book": BOOK, "ticker": TICKER}[topic]
    channel = f"{topic}.BTC-PERPETUAL.100ms"
    venue, spaced = deribit_reader(), frame(channel, data, (", ", ": "))
    venue.read(frame(channel, [] if topic == "trades" else data), SEEN)  # it knows the channel
    first = deribit_reader().read(spaced, SEEN)
    assert first == venue.read(frame(channel, data), SEEN)
    assert first == deribit_reader().read(frame(channel, data), SEEN)


def test_a_raw_channel_is_read_like_the_one_we_ask_for():
    (event,) = deribit_reader().read(frame("trades.BTC-PERPETUAL.raw", [row()]), SEEN)
    assert isinstance(event, Trade)


def test_a_test_request_is_answered_at_once_and_is_no_event():
    venue = deribit_reader()
    raw = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
    assert json.loads(venue.reply(raw))["method"] == "public/test"
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {"method heartbeat": 1}
    assert venue.reply(raw.replace(b"test_request", b"heartbeat")) == b""
    assert venue.reply(trades(row())) == b""


@pytest.mark.parametrize(
    ("raw", "channel", "reason"),
    [
        (b'{"jsonrpc":"2.0","id":1,"result":"ok"}', "", "no data"),
        (sample("ws_book_grouped_snapshot"), "", "channel book.BTC-PERPETUAL.none.10.100ms"),
        (sample("ws_trades_option_combo"), "", "channel trades.BTC-CS-19MAY26-70000_7500"),
        (frame("quote.BTC-PERPETUAL", {}), "", "channel quote.BTC-PERPETUAL"),
        (answer([]), "orders", "answer to orders"),
    ],
)
def test_acks_and_channels_we_do_not_use_are_counted(raw, channel, reason):
    venue = deribit_reader()
    assert venue.read(raw, SEEN, channel) == []
    assert venue.state.skipped == {reason: 1}


@pytest.mark.parametrize("channel", ["", "trades:BTC-PERPETUAL"])
def test_a_refusal_is_reported_with_the_venues_message(channel):
    raw = b'{"jsonrpc":"2.0","id":1,"error":{"message":"Invalid params","code":-32602}}'
    (event,) = deribit_reader().read(raw, SEEN, channel)
    assert event == Link("deribit", SEEN, SEEN, "refused", "-32602 Invalid params")


@pytest.mark.parametrize(
    ("raw", "channel"),
    [
        (trades(row(price=0)), ""),
        (trades(row(liquidation="X")), ""),
        (frame("book.BTC-PERPETUAL.100ms", BOOK | {"bids": [["gone", 1, 1]]}), ""),
        (frame("ticker.BTC-PERPETUAL.100ms", {}), ""),
        (b"{}", "clock"),
        (b"null", ""),
    ],
)
def test_a_channel_of_ours_in_another_shape_is_unreadable(raw, channel):
    with pytest.raises(WireError, match="deribit: unreadable frame"):
        deribit_reader().read(raw, SEEN, channel)


def test_one_socket_asks_for_a_heartbeat_and_then_for_every_channel():
    symbols = [f"A{n}-PERPETUAL" for n in range(40)]
    (stream,) = deribit_reader().streams(symbols)
    sent = [json.loads(message) for message in stream.subscribe]
    assert [each["method"] for each in sent] == ["public/set_heartbeat"] + ["public/subscribe"] * 2
    assert sent[0]["params"] == {"interval": 30}
    asked = [name for each in sent[1:] for name in each["params"]["channels"]]
    assert len(set(asked)) == 120
    assert "ticker.A7-PERPETUAL.100ms" in asked
    steady = {each.kind for each in stream.channels if each.expected_interval}
    assert steady == {"book", "mark", "funding", "oi"}
    assert {each.kind for each in stream.channels} - steady == {"trades", "liquidations"}
    assert stream.url == "wss://www.deribit.com/ws/api/v2"


def test_recorded_single_messages_can_be_read_and_options_are_left_out():
    kinds = {type(e).__name__ for raw in MESSAGES for e in deribit_reader().read(raw, SEEN)}
    assert kinds >= {"Trade", "Trades", "BookSnapshot", "BookDelta", "Mark", "Liquidation"}
    for name in ("ws_book_delta", "ws_ticker", "ws_trades"):
        assert deribit_reader().read(sample(name), SEEN) != []


def readable(venue: VenueReader, raw: bytes, channel: str = "") -> None:
    venue.reply(raw)
    try:
        events = venue.read(raw, SEEN, channel)
    except WireError:
        return
    for event in events:
        if not isinstance(event, Trades | Candles):
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(event))


CHANNELS = ["", "instruments", "clock", "candles:X", "funding:X", "trades:BTC-PERPETUAL"]
LIVE = [
    trades(row(1), row(2, liquidation="MT")),
    frame("book.BTC-PERPETUAL.100ms", BOOK),
    frame("ticker.BTC-PERPETUAL.100ms", TICKER),
    b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
]
WHOLE = [("", raw) for raw in (*MESSAGES, *LIVE)] + [
    ("instruments", sample("http_get_instruments_usdc")),
    ("candles:BTC-PERPETUAL", sample("http_get_tradingview_chart_data")),
    ("trades:ETH-PERPETUAL", sample("http_get_last_trades")),
    ("funding:BTC-PERPETUAL", answer([{"timestamp": AT, "interest_1h": 1e-6}])),
    ("clock", answer(AT)),
]


@given(st.binary(max_size=300), st.sampled_from(CHANNELS))
@example(b"", "")
@example(b"[" * 100_000, "")
@example(b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"', "")
@example(b'{"params":' * 10_000, "")
@example(b'{"method":"\xff"}', "")
def test_any_bytes_are_events_or_a_wire_error(raw, channel):
    readable(deribit_reader(), raw, channel)


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), fuzz.wounds())
def test_a_damaged_frame_is_events_or_a_wire_error(whole, wound):
    (channel, raw), venue = whole, deribit_reader()
    readable(venue, raw, channel)
    readable(venue, fuzz.hurt(raw, wound), channel)


@settings(max_examples=200)
@given(st.sampled_from(["trades", "book", "ticker"]), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(topic, pick):
    fields = {"trades": row(), "book": BOOK, "ticker": TICKER}[topic]
    name = pick.draw(st.sampled_from(sorted(fields)))
    changed = fields | {name: pick.draw(fuzz.VALUES)}
    data = [changed] if topic == "trades" else changed
    readable(deribit_reader(), frame(f"{topic}.BTC-PERPETUAL.100ms", data))


def test_an_unreadable_trade_is_skipped_and_is_a_gap_before_the_next():
    venue = deribit_reader()
    rows = [row(10), row(11, price=-1.0), row(12, liquidation="T")]
    gap, prints, liquidated = venue.read(trades(*rows), SEEN)
    assert isinstance(gap, Gap)
    assert isinstance(prints, Trades)
    assert isinstance(liquidated, Liquidation)
    assert venue.state.skipped == {UNREADABLE: 1}
    with pytest.raises(WireError):
        venue.read(trades(row(13, price=-1.0)), SEEN)
