"""Binance frames: every channel we use, every trap, and any bytes at all."""

import gzip
import json
from collections.abc import Iterator
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
    Quote,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.base import Poll
from powderkeg.venues.binance.stream import binance_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FOLDER = Path(__file__).parent / "frames" / "binance"
SEEN = 1_723_161_256_000_000
MS = 1000


def frame(channel, data):
    return json.dumps({"stream": channel, "data": data}).encode()


TRADE = {
    "e": "trade",
    "E": 1680652700455,
    "T": 1680652700452,
    "s": "BTCUSDT",
    "t": 3535186032,
    "p": "28145.10",
    "q": "0.002",
    "X": "MARKET",
    "m": True,
}
DEPTH = {
    "e": "depthUpdate",
    "E": 1723161257440,
    "T": 1723161257432,
    "s": "BTCUSD_PERP",
    "U": 5,
    "u": 7,
    "pu": 4,
    "b": [["61773.6", "1001"], ["61779.1", "0"]],
    "a": [],
}
TICKER = {
    "e": "bookTicker",
    "u": 9,
    "s": "BTCUSDT",
    "b": "100.0",
    "B": "2",
    "a": "100.5",
    "A": "3",
    "T": 5,
    "E": 6,
}
MARK = {
    "e": "markPriceUpdate",
    "E": 1597536008000,
    "s": "BTCUSDT",
    "p": "11857.56",
    "P": "11800.0",
    "i": "11851.8",
    "r": "0.00015640",
    "T": 1597564800000,
}
FORCE = {
    "e": "forceOrder",
    "E": 2,
    "o": {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.5",
        "p": "4793.91",
        "ap": "4706.04",
        "X": "FILLED",
        "l": "0.015",
        "z": "0.014",
        "T": 1584059031421,
    },
}
SNAPSHOT = {"lastUpdateId": 5, "E": 3, "T": 2, "bids": [["99.5", "1"]], "asks": [["100.5", "2"]]}


def usdm() -> VenueReader:
    return binance_reader("binance", "BTCUSDT")


def coin() -> VenueReader:
    return binance_reader("binance-coin", "BTCUSD_PERP")


def spot() -> VenueReader:
    return binance_reader("binance-spot", "BTCUSDT")


def test_a_trade_where_the_buyer_was_maker_is_a_taker_sell():
    (event,) = usdm().read(frame("btcusdt@trade", TRADE), SEEN)
    at = 1680652700452 * MS
    assert event == Trade("binance:BTCUSDT", at, SEEN, 28145.1, 0.002, "sell")


def test_an_aggregated_trade_is_a_trade_too():
    row = {k: v for k, v in TRADE.items() if k != "X"} | {"e": "aggTrade", "m": False}
    (event,) = usdm().read(json.dumps(row).encode(), SEEN)
    assert isinstance(event, Trade)
    assert event.taker == "buy"


@pytest.mark.parametrize("kind", ["INSURANCE_FUND", "ADL", "NA"])
def test_a_print_that_is_not_of_the_market_is_no_trade_and_is_counted(kind):
    venue = usdm()
    row = TRADE | {"X": kind, "p": "0"}
    assert venue.read(frame("btcusdt@trade", row), SEEN) == []
    assert venue.state.skipped == {f"not a trade: {kind}": 1}


@pytest.mark.parametrize("wrong", [{"p": "0"}, {"q": "-1"}, {"p": "nan"}, {"q": "inf"}])
def test_a_market_trade_without_a_real_price_and_size_is_unreadable(wrong):
    with pytest.raises(WireError, match="binance: unreadable frame"):
        usdm().read(frame("btcusdt@trade", TRADE | wrong), SEEN)


def test_coin_margined_sizes_are_contracts_of_100_dollars_for_bitcoin_and_10_for_others():
    (btc,) = coin().read(frame("x@trade", TRADE | {"s": "BTCUSD_PERP", "q": "4"}), SEEN)
    (eth,) = coin().read(frame("x@trade", TRADE | {"s": "ETHUSD_PERP", "q": "4"}), SEEN)
    assert isinstance(btc, Trade)
    assert isinstance(eth, Trade)
    assert btc.size == pytest.approx(400 / 28145.1)
    assert eth.size == pytest.approx(40 / 28145.1)
    assert btc.market == "binance-coin:BTCUSD_PERP"


def test_coin_margined_depth_is_turned_level_by_level_and_a_removal_stays_one():
    (event,) = coin().read(frame("btcusd_perp@depth@0ms", DEPTH), SEEN)
    assert isinstance(event, BookDelta)
    assert event.bids == ((61773.6, pytest.approx(100_100 / 61773.6)), (61779.1, 0.0))
    assert (event.first, event.last, event.previous) == (5, 7, 4)
    assert event.event_time == 1723161257432 * MS


def test_spot_depth_has_no_previous_id_and_only_an_event_time():
    row = {k: v for k, v in DEPTH.items() if k not in {"T", "pu"}} | {"s": "BTCUSDT"}
    (event,) = spot().read(frame("btcusdt@depth@100ms", row), SEEN)
    assert isinstance(event, BookDelta)
    assert (event.previous, event.event_time) == (-1, 1723161257440 * MS)
    assert event.bids[0] == (61773.6, 1001.0)


def test_the_same_symbol_is_another_market_on_spot():
    bare = {k: v for k, v in TICKER.items() if k not in {"e", "T", "E"}}
    (event,) = spot().read(frame("btcusdt@bookTicker", bare), SEEN)
    assert event == Quote("binance-spot:BTCUSDT", SEEN, SEEN, 100.0, 2.0, 100.5, 3.0, 9)
    (event,) = spot().read(json.dumps(bare).encode(), SEEN)
    assert event.market == "binance-spot:BTCUSDT"


def test_a_coin_margined_quote_is_turned_into_coins():
    row = TICKER | {"s": "ETHUSD_PERP"}
    (event,) = coin().read(frame("x@bookTicker", row), SEEN)
    assert isinstance(event, Quote)
    assert (event.bid_size, event.ask_size) == (20 / 100.0, 30 / 100.5)


def test_a_rest_snapshot_belongs_to_the_symbol_the_reader_was_made_for():
    (event,) = usdm().read(json.dumps(SNAPSHOT).encode(), SEEN)
    at = 2 * MS
    assert event == BookSnapshot("binance:BTCUSDT", at, SEEN, ((99.5, 1.0),), ((100.5, 2.0),), 5)
    bare = {k: v for k, v in SNAPSHOT.items() if k not in {"T", "E"}}
    (event,) = spot().read(json.dumps(bare).encode(), SEEN)
    assert event.event_time == SEEN
    named = json.dumps(SNAPSHOT | {"symbol": "ETHUSD_PERP"}).encode()
    (event,) = coin().read(named, SEEN)
    assert event.market == "binance-coin:ETHUSD_PERP"


def test_a_snapshot_without_a_symbol_is_unreadable():
    with pytest.raises(WireError, match="expected a depth snapshot with a symbol"):
        binance_reader("binance").read(json.dumps(SNAPSHOT).encode(), SEEN)


def test_a_mark_frame_gives_mark_index_and_the_rate_with_its_interval():
    mark, funding = usdm().read(frame("btcusdt@markPrice@1s", MARK), SEEN)
    at = 1597536008000 * MS
    assert mark == Mark("binance:BTCUSDT", at, SEEN, 11857.56, 11851.8)
    assert funding == Funding("binance:BTCUSDT", at, SEEN, 0.0001564, 8 * HOUR)
    four = binance_reader("binance", funding=4 * HOUR)
    _, funding = four.read(json.dumps(MARK).encode(), SEEN)
    assert isinstance(funding, Funding)
    assert funding.interval == 4 * HOUR


def test_a_delivery_contract_pays_no_funding_and_may_lack_an_index():
    row = {k: v for k, v in MARK.items() if k != "i"} | {"r": "0.0", "T": 0}
    assert [type(e) for e in usdm().read(frame("x@markPrice", row), SEEN)] == [Mark]
    row = {k: v for k, v in MARK.items() if k not in {"r", "T"}} | {"i": "0"}
    (event,) = usdm().read(frame("x@markPrice", row), SEEN)
    assert isinstance(event, Mark)
    assert event.index is None


@pytest.mark.parametrize("rate", ["1.0", "nan", "none"])
def test_a_funding_rate_that_is_no_fraction_is_unreadable(rate):
    with pytest.raises(WireError):
        usdm().read(frame("x@markPrice", MARK | {"r": rate}), SEEN)


def test_a_forced_sell_is_a_liquidated_long_at_the_average_fill():
    (event,) = usdm().read(frame("btcusdt@forceOrder", FORCE), SEEN)
    at = 1584059031421 * MS
    assert event == Liquidation("binance:BTCUSDT", at, SEEN, 4706.04, 0.014, "long")
    order = FORCE["o"] | {"S": "BUY", "s": "BTCUSD_200925", "z": "3", "ap": "9352.7"}
    (event,) = coin().read(frame("!forceOrder@arr", FORCE | {"o": order}), SEEN)
    assert isinstance(event, Liquidation)
    assert event.position_side == "short"
    assert event.size == pytest.approx(300 / 9352.7)


def test_all_market_streams_come_as_arrays():
    rows = [MARK, MARK | {"s": "ETHUSDT"}]
    events = usdm().read(frame("!markPrice@arr@1s", rows), SEEN)
    assert [e.market for e in events][::2] == ["binance:BTCUSDT", "binance:ETHUSDT"]


def test_rows_of_the_other_universe_on_a_merged_stream_are_left_out_and_counted():
    venue = usdm()
    force = FORCE | {"st": 2}
    for channel, row in (
        ("trade", TRADE),
        ("depth", DEPTH),
        ("bookTicker", TICKER),
        ("markPrice", MARK),
    ):
        assert venue.read(frame(f"x@{channel}", row | {"st": 2}), SEEN) == []
        assert venue.read(frame(f"x@{channel}", row | {"st": 1}), SEEN) != []
    assert venue.read(frame("!forceOrder@arr", force), SEEN) == []
    assert venue.state.skipped == {"row of the other universe, st=2": 5}
    assert coin().read(frame("!forceOrder@arr", FORCE | {"st": 1}), SEEN) == []
    assert len(spot().read(frame("x@trade", TRADE | {"st": 1}), SEEN)) == 1


def test_polled_open_interest_is_in_coins_on_usd_m():
    row = {"symbol": "BTCUSDT", "openInterest": "26286.181", "time": 7}
    (event,) = usdm().read(json.dumps(row).encode(), SEEN)
    assert event == OpenInterest("binance:BTCUSDT", 7 * MS, SEEN, 26286.181)
    (event,) = usdm().read(frame("btcusdt@openInterest", row | {"time": 0}), SEEN)
    assert event.event_time == SEEN
    assert (
        usdm().read(json.dumps(row).encode(), SEEN, "openInterest:BTCUSDT")[0].event_time == 7 * MS
    )


def test_open_interest_in_contracts_needs_a_mark():
    raw = b'{"symbol":"BTCUSD_PERP","openInterest":"500","time":7}'
    venue = coin()
    assert venue.read(raw, SEEN, "openInterest:BTCUSD_PERP") == []
    assert venue.state.skipped == {"open interest in contracts before any mark": 1}
    venue.read(frame("x@markPrice", MARK | {"s": "BTCUSD_PERP", "p": "50000"}), SEEN)
    (event,) = venue.read(raw, SEEN, "openInterest:BTCUSD_PERP")
    assert event == OpenInterest("binance-coin:BTCUSD_PERP", 7 * MS, SEEN, 1.0)


AGGREGATE = {
    "e": "aggTrade",
    "E": 1723161257440,
    "a": 50,
    "s": "BTCUSDT",
    "p": "60000.0",
    "q": "0.5",
    "nq": "0.4",
    "f": 100,
    "l": 104,
    "T": 1723161257400,
    "m": False,
    "st": 1,
}


def aggregate(number, first, last, at=1723161257400, **more):
    message = AGGREGATE | {"a": number, "f": first, "l": last, "T": at} | more
    return compact("btcusdt@aggTrade", message)


def compact(channel, message):
    return json.dumps({"stream": channel, "data": message}, separators=(",", ":")).encode()


def test_a_jump_in_the_chain_of_aggregates_is_a_gap_since_the_last_trade():
    venue = usdm()
    venue.read(aggregate(50, 100, 104, at=1000), SEEN)
    gap, trade = venue.read(aggregate(52, 108, 108, at=2000), SEEN)
    why = "3 trades missing before trade 108"
    assert gap == Gap("binance:BTCUSDT", 2000 * MS, SEEN, 1000 * MS, why)
    assert isinstance(trade, Trade)
    assert [type(e) for e in venue.read(aggregate(53, 109, 109), SEEN)] == [Trade]


def test_a_transfer_of_the_insurance_fund_has_a_number_but_is_in_no_aggregate():
    venue = usdm()
    venue.read(aggregate(50, 100, 104), SEEN)
    (event,) = venue.read(aggregate(51, 106, 107), SEEN)
    assert isinstance(event, Trade)
    assert venue.state.skipped == {"not of the market: a number in no aggregate": 1}


def test_an_aggregate_on_two_overlapping_sockets_is_counted_once():
    venue = usdm()
    frames = [aggregate(50 + n, 100 + 2 * n, 101 + 2 * n) for n in range(6)]
    message = [venue.read(raw, SEEN) for raw in (*frames[:4], *frames[2:], frames[0])]
    assert sum(len(events) for events in message) == 6
    assert venue.state.skipped == {"duplicate trade": 3}


def test_recent_trades_join_the_stream_whichever_comes_first():
    rows = [AGGREGATE | {"a": 48 + n, "f": 96 + 2 * n, "l": 97 + 2 * n} for n in range(4)]
    raw = json.dumps(rows).encode()
    live = aggregate(50, 100, 101)
    for first_live in (True, False):
        venue = usdm()
        before = venue.read(live, SEEN) if first_live else []
        (recent,) = venue.read(raw, SEEN, "trades:BTCUSDT")
        after = [] if first_live else venue.read(live, SEEN)
        assert isinstance(recent, Trades)
        assert len(recent.times) + len(before + after) == 4
        assert venue.state.skipped == {"duplicate trade": 1}
        assert [type(e) for e in venue.read(aggregate(52, 104, 104), SEEN)] == [Trade]


def test_a_forced_order_on_two_overlapping_sockets_is_counted_once():
    venue = usdm()
    raw = compact("btcusdt@forceOrder", FORCE)
    assert [len(venue.read(raw, SEEN)) for _ in range(2)] == [1, 0]
    assert venue.state.skipped == {"duplicate liquidation": 1}


@pytest.mark.parametrize(
    ("channel", "row"),
    [
        ("btcusdt@trade", TRADE),
        ("btcusdt@aggTrade", AGGREGATE),
        ("btcusdt@depth@100ms", DEPTH),
        ("btcusdt@bookTicker", TICKER),
        ("btcusdt@markPrice@1s", MARK),
        ("btcusdt@forceOrder", FORCE),
    ],
)
def test_a_compact_frame_says_what_a_spaced_and_a_bare_one_say(channel, row):
    raws = (compact(channel, row), frame(channel, row), json.dumps(row).encode())
    for make in (usdm, spot):
        short, spaced, bare = (make().read(raw, SEEN) for raw in raws)
        assert short == spaced == bare != []


def test_a_stream_of_all_markets_may_be_compact():
    events = usdm().read(compact("!markPrice@arr@1s", [MARK]), SEEN)
    assert [type(e) for e in events] == [Mark, Funding]


def test_a_reported_interval_replaces_eight_hours():
    venue = usdm()
    message = [
        {"symbol": "BTCUSDT", "fundingIntervalHours": 4},
        {"symbol": "龙USDT", "fundingIntervalHours": 1},
    ]
    assert venue.read(json.dumps(message).encode(), SEEN, "fundingInfo") == []
    _, funding = venue.read(frame("btcusdt@markPrice@1s", MARK), SEEN)
    assert isinstance(funding, Funding)
    assert funding.interval == 4 * HOUR


def test_the_clock_and_the_instruments_are_kept():
    venue = usdm()
    assert venue.read(b'{"serverTime":5}', SEEN, "clock") == []
    assert venue.state.server_time == 5 * MS
    raw = (FOLDER / "http_futures_market_exchange_info.json").read_bytes()
    assert venue.read(raw, SEEN, "instruments") == []
    message = venue.state.instruments["BTCUSDT"]
    assert (message.coin, message.kind, message.linear, message.tick) == (
        "BTC",
        "perpetual",
        True,
        0.1,
    )
    assert venue.state.tiers == {}


def test_the_dollars_in_a_contract_are_those_the_venue_lists():
    venue = coin()
    raw = (FOLDER / "http_coinm_exchange_info.json").read_bytes().replace(b"100,", b"50,", 1)
    raw = raw.replace(b'"contractSize": 100', b'"contractSize": 50')
    venue.read(raw, SEEN, "instruments")
    (event,) = venue.read(frame("x@trade", TRADE | {"s": "BTCUSD_PERP", "q": "4"}), SEEN)
    assert isinstance(event, Trade)
    assert event.size == pytest.approx(200 / 28145.1)


def test_answers_about_the_past_belong_to_the_symbol_that_was_asked():
    raw = b'[{"longAccount":"0.6","timestamp":1}]'
    (event,) = usdm().read(raw, SEEN, "ratio:ETHUSDT")
    assert event == Ratio("binance:ETHUSDT", MS, SEEN, "accounts", 0.6)
    (event,) = usdm().read(json.dumps(SNAPSHOT).encode(), SEEN, "depth:ETHUSDT")
    assert event.market == "binance:ETHUSDT"
    venue = usdm()
    assert venue.read(b"[]", SEEN, "orders") == []
    assert venue.state.skipped == {"answer to orders": 1}


@pytest.mark.parametrize(
    ("raw", "channel"),
    [
        (b'{"code":-1121,"msg":"Invalid symbol."}', "ratio:XUSDT"),
        (b'{"error":{"code":-1121,"msg":"Invalid symbol."},"id":1}', ""),
    ],
)
def test_a_refusal_is_reported_with_the_venues_message(raw, channel):
    (event,) = usdm().read(raw, SEEN, channel)
    assert event == Link("binance", SEEN, SEEN, "refused", "-1121 Invalid symbol.")


def test_an_answer_that_is_neither_data_nor_a_refusal_is_unreadable():
    with pytest.raises(WireError, match="Expected `array`"):
        usdm().read(b"{}", SEEN, "ratio:BTCUSDT")


def test_a_symbol_that_is_none_is_unreadable():
    with pytest.raises(WireError, match="expected a symbol"):
        usdm().read(frame("x@trade", TRADE | {"s": "btc usdt"}), SEEN)


def test_the_reader_hands_out_the_plan_of_its_own_market():
    venue: VenueReader = VENUES["binance-coin"].reader("")
    symbol = venue.symbol("BTC")
    assert symbol == "BTCUSD_PERP"
    urls = [each.url for each in (*venue.streams([symbol]), *venue.polls([symbol]))]
    polls = venue.past(symbol, 0, 10**9) + venue.recent(symbol)
    shot = venue.snapshot(symbol)
    assert isinstance(shot, Poll)
    assert all("://d" in url for url in (*urls, shot.url, *(poll.url for poll in polls)))
    assert venue.reply(b"{}") == b""
    assert VENUES["binance-coin"].liquidations == "sample"
    assert VENUES["binance-spot"].liquidations == "none"


def test_a_recorded_stream_makes_whole_chains():
    """200 frames of 2021 in envelopes: no gap, no wrong number."""
    venue, last = usdm(), dict[str, int]()
    for raw in (FOLDER / "usdm_stream.txt").read_bytes().splitlines():
        for event in venue.read(raw, SEEN):
            assert not isinstance(event, Gap)
            if isinstance(event, BookDelta):
                assert last.get(event.market, event.previous) == event.previous
                last[event.market] = event.last
    assert len(last) == 4
    assert venue.state.skipped == {"channel kline_1m": 9}


@pytest.mark.parametrize(
    "name", ["agg_trade_stream", "mark_price_stream", "liquidation_stream", "depth_update_stream"]
)
def test_a_documented_frame_can_be_read(name):
    assert usdm().read((FOLDER / f"{name}.json").read_bytes(), SEEN) != []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"result":null,"id":1}', "no data"),
        (frame("btcusdt@kline_1m", {"e": "kline"}), "channel kline_1m"),
        (frame("btcusdt", {"e": "x"}), "no data"),
        (b'{"e":"24hrTicker"}', "channel 24hrTicker"),
    ],
)
def test_acks_and_channels_we_do_not_use_are_counted(raw, reason):
    venue = usdm()
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {reason: 1}


FRAMES = [
    compact("btcusdt@aggTrade", AGGREGATE),
    compact("btcusd_perp@depth@100ms", DEPTH),
    compact("btcusdt@forceOrder", FORCE),
    frame("btcusdt@trade", TRADE),
    frame("btcusd_perp@depth@0ms", DEPTH),
    frame("btcusdt@bookTicker", TICKER),
    frame("btcusdt@markPrice@1s", MARK),
    frame("!forceOrder@arr", FORCE),
    json.dumps(SNAPSHOT).encode(),
]


ANSWERS = [
    ("trades:BTCUSDT", json.dumps([AGGREGATE, AGGREGATE | {"a": 51}]).encode()),
    ("depth:BTCUSDT", json.dumps(SNAPSHOT).encode()),
    ("openInterest:BTCUSDT", b'{"openInterest":"5","time":1}'),
    ("clock", b'{"serverTime":1}'),
    ("fundingInfo", b'[{"symbol":"BTCUSDT","fundingIntervalHours":4}]'),
    ("instruments", (FOLDER / "http_coinm_exchange_info.json").read_bytes()),
    ("candles:BTCUSDT", (FOLDER / "http_futures_market_klines.json").read_bytes()),
    ("funding:BTCUSDT", (FOLDER / "http_futures_market_funding_rate.json").read_bytes()),
    (
        "interest:BTCUSDT",
        (FOLDER / "http_futures_market_open_interest_historical.json").read_bytes(),
    ),
]


def readable(raw: bytes, channel: str = "") -> None:
    for kind in ("binance", "binance-coin", "binance-spot"):
        try:
            events = VENUES[kind].reader("BTCUSDT").read(raw, SEEN, channel)
        except WireError:
            continue
        for event in events:
            if not isinstance(event, Trades | Candles):
                assert msgspec.msgpack.decode(msgspec.msgpack.encode(event))


@settings(max_examples=200)
@given(
    st.sampled_from(ANSWERS),
    st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3)), max_size=4),
)
def test_a_damaged_answer_is_events_or_a_wire_error(message, edits):
    channel, raw = message
    readable(raw, channel)
    for place, new in edits:
        raw = raw[:place] + new + raw[place + len(new) :]
    readable(raw, channel)


@given(st.binary(max_size=300))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"stream":"x@trade","data":' * 10_000)
@example(b'{"stream":"\xff"}')
def test_any_bytes_are_events_or_a_wire_error(raw):
    readable(raw)


@settings(max_examples=300)
@given(st.sampled_from(FRAMES), fuzz.wounds())
def test_a_damaged_frame_is_events_or_a_wire_error(raw, wound):
    readable(fuzz.hurt(raw, wound))


@given(st.sampled_from([TRADE, AGGREGATE, DEPTH, TICKER, MARK, SNAPSHOT]), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(row, pick):
    name = pick.draw(st.sampled_from(sorted(row)))
    raw = json.dumps(row | {name: pick.draw(fuzz.VALUES)}).encode()
    readable(raw)


@pytest.mark.parametrize("name", ["binance_usdm", "binance_coinm"])
def test_recorded_single_messages_of_every_channel_can_be_read(data: Path, name):
    venue = usdm() if name == "binance_usdm" else coin()
    kinds = set[str]()
    for line in (data / "wire" / "messages_tardis" / f"{name}.jsonl").read_bytes().splitlines():
        kinds |= {type(event).__name__ for event in venue.read(line, SEEN)}
    assert {"Trade", "BookDelta", "BookSnapshot", "Quote", "Mark", "Liquidation"} <= kinds


def recording(data: Path, *names: str) -> Iterator[tuple[int, bytes]]:
    for name in names:
        with gzip.open(data / "wire" / "binance" / f"{name}.txt.gz") as file:
            for line in file:
                stamp, _, raw = line.partition(b" ")
                yield int(stamp), raw


@pytest.mark.parametrize(
    ("venue", "symbol", "names"),
    [
        ("binance", "BTCUSDT", ["usdm_btcusdt_20240808"]),
        ("binance", "ETHUSDT", ["usdm_ethusdt_20240808"]),
        ("binance", "BTCUSDT", ["usdm_btcusdt_20230404", "usdm_btcusdt_20230405"]),
        ("binance-coin", "BTCUSD_PERP", ["cm_btcusd_perp_20240808", "cm_btcusd_perp_20240809"]),
        ("binance-coin", "ETHUSD_PERP", ["cm_ethusd_perp_20240808", "cm_ethusd_perp_20240809"]),
        ("binance-spot", "BTCUSDT", ["spot_btcusdt_20240808", "spot_btcusdt_20240809"]),
    ],
)
def test_a_rebuilt_book_equals_the_quote_at_every_shared_update(data: Path, venue, symbol, names):
    """No sequence breaks in minutes of real wire, on all three hosts."""
    read, book = VENUES[venue].reader(symbol).read, Book(f"{venue}:{symbol}")
    tops: dict[int, tuple[float, ...] | None] = {}
    quotes: dict[int, tuple[float, ...]] = {}
    wishes: list[str] = []
    for stamp, raw in recording(data, *names):
        for event in read(raw, stamp):
            if isinstance(event, Quote):
                quotes[event.update] = (event.bid, event.bid_size, event.ask, event.ask_size)
            elif isinstance(event, BookSnapshot | BookDelta):
                wish = book.apply(event)
                wishes += [wish.why] if wish else []
                if book.status == "live":
                    tops[book.update] = book.best()
    shared = tops.keys() & quotes.keys()
    assert len(shared) > 500
    assert all(tops[update] == quotes[update] for update in shared)
    assert wishes in ([], ["no snapshot yet"])
    assert book.counts["holes"] == book.counts["crossed"] == 0


def test_the_one_insurance_print_of_2023_is_left_out(data: Path):
    """12,934 trades and one transfer 2 % away (trap 1)."""
    venue = usdm()
    prices = [
        event.price
        for stamp, raw in recording(data, "usdm_btcusdt_20230404", "usdm_btcusdt_20230405")
        for event in venue.read(raw, stamp)
        if isinstance(event, Trade)
    ]
    assert len(prices) == 12_934
    assert max(prices) < 28_300
    assert venue.state.skipped == {"not a trade: INSURANCE_FUND": 1}


def test_what_a_reader_remembers_lets_another_go_on():
    one, other = usdm(), usdm()
    one.read(aggregate(50, 100, 104), SEEN)
    other.state.load_state(one.state.state_dict())
    assert other.read(aggregate(50, 100, 104), SEEN) == []


def test_an_aggregate_of_the_other_universe_is_left_out():
    reader = usdm()
    other = json.loads(aggregate(50, 100, 104))
    other["data"]["st"] = 2
    assert reader.read(json.dumps(other).encode(), SEEN) == []
    assert reader.state.skipped == {"row of the other universe, st=2": 1}


def test_an_unreadable_row_of_all_markets_is_skipped_and_the_rest_read():
    venue = usdm()
    mark = {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "5", "r": "", "T": 0}
    odd = [mark | {"s": "币安人生USDT"}, mark | {"p": "-1"}, mark | {"E": "never"}]
    (event,) = venue.read(frame("!markPrice@arr@1s", [*odd, mark]), SEEN)
    assert event == Mark("binance:BTCUSDT", 1000, SEEN, 5.0)
    assert venue.state.skipped == {UNREADABLE: 3}
    with pytest.raises(WireError, match="expected a symbol"):
        venue.read(frame("!markPrice@arr@1s", odd[:1]), SEEN)
