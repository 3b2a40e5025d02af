"""Deribit's answers and trades: what is asked, and every trap."""

import json
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
    Candles,
    Funding,
    Gap,
    Link,
    Liquidation,
    Trade,
    Trades,
)
from powderkeg.instruments import Instrument
from powderkeg.venues.deribit.stream import deribit_reader

from .test_deribit import AT, MESSAGES, MS, SEEN, answer, row, sample, trades


def test_an_answer_is_a_result_or_a_refusal():
    refused = b'{"jsonrpc":"2.0","id":1,"error":{"message":"Invalid params","code":-32602}}'
    (event,) = deribit_reader().read(refused, SEEN, "trades:BTC-PERPETUAL")
    assert event == Link("deribit", SEEN, SEEN, "refused", "-32602 Invalid params")
    for raw in (b"{}", b'{"result":null}'):
        with pytest.raises(WireError, match="expected a result or an error"):
            deribit_reader().read(raw, SEEN, "clock")


def test_an_inverse_amount_is_dollars_and_a_linear_one_coins():
    venue = deribit_reader()
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
    trade, *events = deribit_reader().read(raw, SEEN)
    at, price, size = (AT + 10) * MS, 50_000.0, 0.02
    market = "deribit:BTC-PERPETUAL"
    assert events == [Liquidation(market, at, SEEN, price, size, each) for each in liquidated]
    assert trade == Trade(market, at, SEEN, price, size, direction)


def test_a_recorded_liquidated_maker_who_sold_was_long():
    _, event = deribit_reader().read(MESSAGES[11], SEEN)
    size = 2500 / 4458.5
    at = 1584058067675 * MS
    assert event == Liquidation("deribit:BTC-PERPETUAL", at, SEEN, 4458.5, size, "long")


def test_a_jump_of_the_trade_number_is_a_gap_since_the_last_trade():
    venue = deribit_reader()
    venue.read(trades(row(10)), SEEN)
    gap, trade = venue.read(trades(row(13)), SEEN)
    why = "2 trades missing before trade 13"
    assert gap == Gap("deribit:BTC-PERPETUAL", (AT + 13) * MS, SEEN, (AT + 10) * MS, why)
    assert isinstance(trade, Trade)
    assert [type(each) for each in venue.read(trades(row(14)), SEEN)] == [Trade]


def test_a_hole_within_one_frame_is_a_gap_too():
    gap, event = deribit_reader().read(trades(row(10), row(12)), SEEN)
    assert isinstance(gap, Gap)
    assert isinstance(event, Trades)


def test_a_duplicate_trade_is_counted_once_and_so_is_its_liquidation():
    venue = deribit_reader()
    flagged = row(11, liquidation="T")
    assert len(venue.read(trades(row(10), flagged), SEEN)) == 2
    assert venue.read(trades(flagged, flagged), SEEN) == []
    (event,) = venue.read(trades(flagged, row(12), row(12)), SEEN)
    assert isinstance(event, Trade)
    assert venue.state.skipped == {"duplicate trade": 4}


def test_a_block_trade_is_no_print_and_makes_no_gap():
    venue = deribit_reader()
    events = venue.read(trades(row(1), row(2, block_trade_id="7", price=1.0), row(3)), SEEN)
    assert [type(each) for each in events] == [Trades]
    assert venue.state.skipped == {"block trade": 1}


def test_recent_trades_come_newest_first_and_join_the_stream():
    venue = deribit_reader()
    rows = [row(3), row(2), row(1, direction="sell")]
    (event,) = venue.read(answer({"trades": rows, "has_more": True}), SEEN, "trades:BTC-PERPETUAL")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [(AT + seq) * MS for seq in (1, 2, 3)]
    assert event.sizes.tolist() == [-0.02, 0.02, 0.02]
    (event,) = venue.read(trades(row(2), row(3), row(4)), SEEN)
    assert event.event_time == (AT + 4) * MS


def test_recent_trades_that_come_after_the_first_of_the_stream_are_put_before_it():
    venue = deribit_reader()
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
        events = deribit_reader().read(sample(name), SEEN, f"trades:{symbol}")
        assert [type(each) for each in events] == [Trades]


def test_the_clock_is_kept():
    venue = deribit_reader()
    assert venue.read(answer(AT), SEEN, "clock") == []
    assert venue.state.server_time == AT * MS


def test_only_perpetuals_that_trade_are_instruments():
    venue = deribit_reader()
    assert venue.read(sample("http_get_instruments_usdc"), SEEN, "instruments") == []
    market = "deribit:SOL_USDC-PERPETUAL"
    sol = Instrument(market, "SOL", "deribit", "perpetual", True, 0.1, 0.01)
    assert venue.state.instruments["SOL_USDC-PERPETUAL"].contract > 0
    assert venue.state.instruments["SOL_USDC-PERPETUAL"].coin == sol.coin
    bitcoin = json.loads(sample("http_get_instrument"))["result"]
    dated = bitcoin | {"instrument_name": "BTC-26DEC25", "settlement_period": "month"}
    delisted = bitcoin | {"instrument_name": "OLD-PERPETUAL", "is_active": False}
    venue.read(answer([bitcoin, dated, delisted]), SEEN, "instruments")
    market = "deribit:BTC-PERPETUAL"
    only = Instrument(market, "BTC", "deribit", "perpetual", False, 10.0, 0.5)
    assert venue.state.instruments == {"BTC-PERPETUAL": only}
    assert venue.state.tiers == {}


def test_a_chart_is_columns_with_volume_in_coins():
    raw = sample("http_get_tradingview_chart_data")
    (event,) = deribit_reader().read(raw, SEEN, "candles:BTC-PERPETUAL")
    assert isinstance(event, Candles)
    assert event.times[0] == 1766483460000 * MS
    assert (event.event_time, event.span) == (1766483760000 * MS, MINUTE)
    assert event.volume[0] == pytest.approx(257_490 / 87_453, rel=1e-3)
    assert event.buy[0] == event.volume[0] / 2
    running = deribit_reader().read(raw, 1766483759000 * MS, "candles:BTC-PERPETUAL")[0]
    assert len(running.times) == 4


def test_a_chart_of_no_bars_is_no_event_and_one_of_uneven_columns_unreadable():
    names = ("ticks", "open", "high", "low", "close", "volume", "cost")
    empty = {name: [] for name in names} | {"status": "no_data"}
    assert deribit_reader().read(answer(empty), SEEN, "candles:BTC-PERPETUAL") == []
    with pytest.raises(WireError):
        deribit_reader().read(answer(empty | {"ticks": [1]}), SEEN, "candles:BTC-PERPETUAL")


def test_past_funding_is_what_each_hour_paid():
    rows = [{"timestamp": AT, "interest_1h": 1e-6, "interest_8h": 9e-6, "index_price": 1.0}]
    (event,) = deribit_reader().read(answer(rows), SEEN, "funding:BTC-PERPETUAL")
    assert event == Funding("deribit:BTC-PERPETUAL", AT * MS, SEEN, 1e-6, HOUR)


def test_instruments_come_first_of_what_is_asked_again_and_again():
    instruments, clock = deribit_reader().polls(["BTC-PERPETUAL"])
    assert instruments.url.endswith("/api/v2/public/get_instruments?currency=any&kind=future")
    assert (clock.channel, clock.every) == ("clock", MINUTE)
    (recent,) = deribit_reader().recent("BTC-PERPETUAL")
    assert parse_qs(urlsplit(recent.url).query)["sorting"] == ["desc"]


@given(st.integers(1, 20 * DAY // MINUTE))
def test_the_past_is_asked_without_holes(minutes):
    until = 1_766_500_020_000_000
    since = until - minutes * MINUTE
    polls = deribit_reader().past("BTC-PERPETUAL", since, until)
    for kind, rows, span in (("candles", 5000, MINUTE), ("funding", 500, HOUR)):
        urls = [poll.url for poll in polls if poll.channel == f"{kind}:BTC-PERPETUAL"]
        asked = [parse_qs(urlsplit(url).query) for url in urls]
        time_chunks = [
            (int(q["start_timestamp"][0]), int(q["end_timestamp"][0]) + 1) for q in asked
        ]
        assert (time_chunks[0][0], time_chunks[-1][1]) == (since // MS, until // MS)
        assert all(a[1] == b[0] for a, b in pairwise(time_chunks))
        assert all(end - start <= rows * span // MS for start, end in time_chunks)


def test_what_a_reader_remembers_lets_another_go_on():
    one, other = deribit_reader(), deribit_reader()
    one.read(trades(row(10)), SEEN)
    other.state.load_state(one.state.state_dict())
    assert isinstance(other.read(trades(row(12)), SEEN)[0], Gap)
