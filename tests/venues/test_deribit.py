"""Deribit frames: every channel and answer we use, every trap, and any bytes at all."""

import json
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
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
from powderkeg.instruments import Instrument
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, Venue
from powderkeg.venues.deribit.stream import Deribit
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
    venue: Venue = Deribit()
    assert venue.name == "deribit"
    assert VENUES["deribit"]("").liquidations == "all"


def test_bitcoin_and_ether_are_inverse_and_every_other_coin_linear():
    symbols = [Deribit().symbol(coin) for coin in ("BTC", "ETH", "SOL")]
    assert symbols == ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL"]


def test_an_inverse_amount_is_dollars_and_a_linear_one_coins():
    venue = Deribit()
    (inverse,) = venue.read(trades(row()), SEEN)
    assert inverse == Trade("deribit:BTC-PERPETUAL", (AT + 10) * MS, SEEN, 50_000.0, 0.02, "buy")
    sol = "SOL_USDC-PERPETUAL"
    (linear,) = venue.read(trades(row(symbol=sol, direction="sell"), symbol=sol), SEEN)
    assert isinstance(linear, Trade)
    assert (linear.size, linear.taker) == (1000.0, "sell")


@pytest.mark.parametrize(
    ("flag", "direction", "liquidated"),
    [
        ("T", "sell", ["long"]),
        ("T", "buy", ["short"]),
        ("M", "sell", ["short"]),
        ("M", "buy", ["long"]),
        ("MT", "sell", ["short", "long"]),
        ("MT", "buy", ["long", "short"]),
    ],
)
def test_a_flag_says_whether_taker_maker_or_both_were_liquidated(flag, direction, liquidated):
    raw = trades(row(direction=direction, liquidation=flag))
    trade, *events = Deribit().read(raw, SEEN)
    at, price, size = (AT + 10) * MS, 50_000.0, 0.02
    market = "deribit:BTC-PERPETUAL"
    assert events == [Liquidation(market, at, SEEN, price, size, each) for each in liquidated]
    assert trade == Trade(market, at, SEEN, price, size, direction)


def test_a_recorded_liquidated_maker_who_sold_was_long():
    _, event = Deribit().read(MESSAGES[11], SEEN)
    size = 2500 / 4458.5
    at = 1584058067675 * MS
    assert event == Liquidation("deribit:BTC-PERPETUAL", at, SEEN, 4458.5, size, "long")


def test_a_jump_of_the_trade_number_is_a_gap_since_the_last_trade():
    venue = Deribit()
    venue.read(trades(row(10)), SEEN)
    gap, trade = venue.read(trades(row(13)), SEEN)
    why = "2 trades missing before trade 13"
    assert gap == Gap("deribit:BTC-PERPETUAL", (AT + 13) * MS, SEEN, (AT + 10) * MS, why)
    assert isinstance(trade, Trade)
    assert [type(each) for each in venue.read(trades(row(14)), SEEN)] == [Trade]


def test_a_hole_within_one_frame_is_a_gap_too():
    gap, event = Deribit().read(trades(row(10), row(12)), SEEN)
    assert isinstance(gap, Gap)
    assert isinstance(event, Trades)


def test_a_duplicate_trade_is_counted_once_and_so_is_its_liquidation():
    venue = Deribit()
    flagged = row(11, liquidation="T")
    assert len(venue.read(trades(row(10), flagged), SEEN)) == 2
    assert venue.read(trades(flagged, flagged), SEEN) == []
    (event,) = venue.read(trades(flagged, row(12), row(12)), SEEN)
    assert isinstance(event, Trade)
    assert venue.skipped == {"duplicate trade": 4}


def test_a_block_trade_is_no_print_and_makes_no_gap():
    venue = Deribit()
    events = venue.read(trades(row(1), row(2, block_trade_id="7", price=1.0), row(3)), SEEN)
    assert [type(each) for each in events] == [Trades]
    assert venue.skipped == {"block trade": 1}


def test_recent_trades_come_newest_first_and_join_the_stream():
    venue = Deribit()
    rows = [row(3), row(2), row(1, direction="sell")]
    (event,) = venue.read(answer({"trades": rows, "has_more": True}), SEEN, "trades:BTC-PERPETUAL")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [(AT + seq) * MS for seq in (1, 2, 3)]
    assert event.sizes.tolist() == [-0.02, 0.02, 0.02]
    (event,) = venue.read(trades(row(2), row(3), row(4)), SEEN)
    assert event.event_time == (AT + 4) * MS


def test_recent_trades_that_come_after_the_first_of_the_stream_are_put_before_it():
    venue = Deribit()
    venue.read(trades(row(3), row(4)), SEEN)
    rows = [row(4), row(3), row(2), row(1)]
    (event,) = venue.read(answer({"trades": rows}), SEEN, "trades:BTC-PERPETUAL")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [(AT + seq) * MS for seq in (1, 2)]
    assert [type(each) for each in venue.read(trades(row(5)), SEEN)] == [Trade]


def test_recorded_recent_trades_can_be_read():
    for name, symbol in (
        ("http_get_last_trades", "ETH-PERPETUAL"),
        ("http_get_last_trades_perpetual_with_combo_tags", "BTC-PERPETUAL"),
    ):
        events = Deribit().read(sample(name), SEEN, f"trades:{symbol}")
        assert [type(each) for each in events] == [Trades]


def test_a_book_change_names_the_one_before_and_is_in_coins():
    (event,) = Deribit().read(frame("book.BTC-PERPETUAL.100ms", BOOK), SEEN)
    bids, asks = ((50_000.0, 0.02), (49_000.0, 0.0)), ((51_000.0, 0.1),)
    assert event == BookDelta("deribit:BTC-PERPETUAL", AT * MS, SEEN, bids, asks, 11, 12, 10)


def test_a_linear_book_is_in_coins_already():
    (event,) = Deribit().read(frame("book.SOL_USDC-PERPETUAL.100ms", BOOK), SEEN)
    assert isinstance(event, BookDelta)
    assert event.bids == ((50_000.0, 1000.0), (49_000.0, 0.0))


def test_the_first_book_is_a_snapshot_even_where_it_names_one_before():
    (event,) = Deribit().read(frame("book.BTC-PERPETUAL.100ms", BOOK | {"type": "snapshot"}), SEEN)
    assert isinstance(event, BookSnapshot)
    assert event.update == 12
    (event,) = Deribit().read(sample("ws_book_snapshot"), SEEN)
    assert isinstance(event, BookSnapshot)


def test_a_book_of_old_has_no_type_and_its_snapshot_no_one_before():
    kinds = [type(Deribit().read(raw, SEEN)[0]) for raw in MESSAGES[2:4]]
    assert kinds == [BookSnapshot, BookDelta]


def test_a_change_that_names_none_before_is_unreadable():
    with pytest.raises(WireError, match="name the one before"):
        Deribit().read(frame("book.BTC-PERPETUAL.100ms", BOOK | {"prev_change_id": None}), SEEN)


def test_a_chain_of_changes_keeps_the_book_live_and_a_lost_one_is_found():
    venue, book = Deribit(), Book("deribit:BTC-PERPETUAL")

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
    mark, funding, interest = Deribit().read(frame("ticker.BTC-PERPETUAL.100ms", TICKER), SEEN)
    market, at = "deribit:BTC-PERPETUAL", AT * MS
    assert mark == Mark(market, at, SEEN, 50_000.0, 50_010.0)
    assert funding == Funding(market, at, SEEN, 0.0001, 8 * HOUR)
    assert interest == OpenInterest(market, at, SEEN, 20.0)
    *_, interest = Deribit().read(frame("ticker.SOL_USDC-PERPETUAL.100ms", TICKER), SEEN)
    assert isinstance(interest, OpenInterest)
    assert interest.size == 1_000_000.0


def test_a_ticker_without_funding_gives_no_funding_event():
    bare = TICKER | {"current_funding": None}
    events = Deribit().read(frame("ticker.BTC-PERPETUAL.100ms", bare), SEEN)
    assert [type(each) for each in events] == [Mark, OpenInterest]


@pytest.mark.parametrize("topic", ["trades", "book", "ticker"])
def test_spaces_between_tokens_change_nothing(topic):
    data = {"trades": [row()], "book": BOOK, "ticker": TICKER}[topic]
    channel = f"{topic}.BTC-PERPETUAL.100ms"
    venue, spaced = Deribit(), frame(channel, data, (", ", ": "))
    venue.read(frame(channel, [] if topic == "trades" else data), SEEN)  # it knows the channel
    first = Deribit().read(spaced, SEEN)
    assert first == venue.read(frame(channel, data), SEEN)
    assert first == Deribit().read(frame(channel, data), SEEN)


def test_a_raw_channel_is_read_like_the_one_we_ask_for():
    (event,) = Deribit().read(frame("trades.BTC-PERPETUAL.raw", [row()]), SEEN)
    assert isinstance(event, Trade)


def test_a_test_request_is_answered_at_once_and_is_no_event():
    venue = Deribit()
    raw = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
    assert json.loads(venue.reply(raw))["method"] == "public/test"
    assert venue.read(raw, SEEN) == []
    assert venue.skipped == {"method heartbeat": 1}
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
    venue = Deribit()
    assert venue.read(raw, SEEN, channel) == []
    assert venue.skipped == {reason: 1}


@pytest.mark.parametrize("channel", ["", "trades:BTC-PERPETUAL"])
def test_a_refusal_is_reported_with_the_venues_message(channel):
    raw = b'{"jsonrpc":"2.0","id":1,"error":{"message":"Invalid params","code":-32602}}'
    (event,) = Deribit().read(raw, SEEN, channel)
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
        Deribit().read(raw, SEEN, channel)


def test_the_clock_is_kept():
    venue = Deribit()
    assert venue.read(answer(AT), SEEN, "clock") == []
    assert venue.server_time == AT * MS


def test_only_perpetuals_that_trade_are_instruments():
    venue = Deribit()
    assert venue.read(sample("http_get_instruments_usdc"), SEEN, "instruments") == []
    market = "deribit:SOL_USDC-PERPETUAL"
    sol = Instrument(market, "SOL", "deribit", "perpetual", True, 0.1, 0.01)
    assert venue.instruments["SOL_USDC-PERPETUAL"].contract > 0
    assert venue.instruments["SOL_USDC-PERPETUAL"].coin == sol.coin
    bitcoin = json.loads(sample("http_get_instrument"))["result"]
    dated = bitcoin | {"instrument_name": "BTC-26DEC25", "settlement_period": "month"}
    delisted = bitcoin | {"instrument_name": "OLD-PERPETUAL", "is_active": False}
    venue.read(answer([bitcoin, dated, delisted]), SEEN, "instruments")
    market = "deribit:BTC-PERPETUAL"
    only = Instrument(market, "BTC", "deribit", "perpetual", False, 10.0, 0.5)
    assert venue.instruments == {"BTC-PERPETUAL": only}
    assert venue.tiers == {}


def test_a_chart_is_columns_with_volume_in_coins():
    raw = sample("http_get_tradingview_chart_data")
    (event,) = Deribit().read(raw, SEEN, "candles:BTC-PERPETUAL")
    assert isinstance(event, Candles)
    assert event.times[0] == 1766483460000 * MS
    assert (event.event_time, event.span) == (1766483760000 * MS, MINUTE)
    assert event.volume[0] == pytest.approx(257_490 / 87_453, rel=1e-3)
    assert event.buy[0] == event.volume[0] / 2
    running = Deribit().read(raw, 1766483759000 * MS, "candles:BTC-PERPETUAL")[0]
    assert len(running.times) == 4


def test_a_chart_of_no_bars_is_no_event_and_one_of_uneven_columns_unreadable():
    names = ("ticks", "open", "high", "low", "close", "volume", "cost")
    empty = {name: [] for name in names} | {"status": "no_data"}
    assert Deribit().read(answer(empty), SEEN, "candles:BTC-PERPETUAL") == []
    with pytest.raises(WireError):
        Deribit().read(answer(empty | {"ticks": [1]}), SEEN, "candles:BTC-PERPETUAL")


def test_past_funding_is_what_each_hour_paid():
    rows = [{"timestamp": AT, "interest_1h": 1e-6, "interest_8h": 9e-6, "index_price": 1.0}]
    (event,) = Deribit().read(answer(rows), SEEN, "funding:BTC-PERPETUAL")
    assert event == Funding("deribit:BTC-PERPETUAL", AT * MS, SEEN, 1e-6, HOUR)


def test_one_socket_asks_for_a_heartbeat_and_then_for_every_channel():
    symbols = [f"A{n}-PERPETUAL" for n in range(40)]
    (stream,) = Deribit().streams(symbols)
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


def test_instruments_come_first_of_what_is_asked_again_and_again():
    instruments, clock = Deribit().polls(["BTC-PERPETUAL"])
    assert instruments.url.endswith("/api/v2/public/get_instruments?currency=any&kind=future")
    assert (clock.channel, clock.every) == ("clock", MINUTE)
    (recent,) = Deribit().recent("BTC-PERPETUAL")
    assert parse_qs(urlsplit(recent.url).query)["sorting"] == ["desc"]


@given(st.integers(1, 20 * DAY // MINUTE))
def test_the_past_is_asked_without_holes(minutes):
    until = 1_766_500_020_000_000
    since = until - minutes * MINUTE
    polls = Deribit().past("BTC-PERPETUAL", since, until)
    for kind, rows, span in (("candles", 5000, MINUTE), ("funding", 500, HOUR)):
        urls = [poll.url for poll in polls if poll.channel == f"{kind}:BTC-PERPETUAL"]
        asked = [parse_qs(urlsplit(url).query) for url in urls]
        time_chunks = [
            (int(q["start_timestamp"][0]), int(q["end_timestamp"][0]) + 1) for q in asked
        ]
        assert (time_chunks[0][0], time_chunks[-1][1]) == (since // MS, until // MS)
        assert all(a[1] == b[0] for a, b in pairwise(time_chunks))
        assert all(end - start <= rows * span // MS for start, end in time_chunks)


def test_recorded_single_messages_can_be_read_and_options_are_left_out():
    kinds = {type(e).__name__ for raw in MESSAGES for e in Deribit().read(raw, SEEN)}
    assert kinds >= {"Trade", "Trades", "BookSnapshot", "BookDelta", "Mark", "Liquidation"}
    for name in ("ws_book_delta", "ws_ticker", "ws_trades"):
        assert Deribit().read(sample(name), SEEN) != []


def readable(venue: Deribit, raw: bytes, channel: str = "") -> None:
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
    readable(Deribit(), raw, channel)


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), fuzz.wounds())
def test_a_damaged_frame_is_events_or_a_wire_error(whole, wound):
    (channel, raw), venue = whole, Deribit()
    readable(venue, raw, channel)
    readable(venue, fuzz.hurt(raw, wound), channel)


@settings(max_examples=200)
@given(st.sampled_from(["trades", "book", "ticker"]), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(topic, pick):
    fields = {"trades": row(), "book": BOOK, "ticker": TICKER}[topic]
    name = pick.draw(st.sampled_from(sorted(fields)))
    changed = fields | {name: pick.draw(fuzz.VALUES)}
    data = [changed] if topic == "trades" else changed
    readable(Deribit(), frame(f"{topic}.BTC-PERPETUAL.100ms", data))


def test_what_a_reader_remembers_lets_another_go_on():
    one, other = Deribit(), Deribit()
    one.read(trades(row(10)), SEEN)
    other.load_state(one.state_dict())
    assert isinstance(other.read(trades(row(12)), SEEN)[0], Gap)


def test_an_unreadable_trade_is_skipped_and_is_a_gap_before_the_next():
    venue = Deribit()
    rows = [row(10), row(11, price=-1.0), row(12, liquidation="T")]
    gap, prints, liquidated = venue.read(trades(*rows), SEEN)
    assert isinstance(gap, Gap)
    assert isinstance(prints, Trades)
    assert isinstance(liquidated, Liquidation)
    assert venue.skipped == {UNREADABLE: 1}
    with pytest.raises(WireError):
        venue.read(trades(row(13, price=-1.0)), SEEN)
