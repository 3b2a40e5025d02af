"""Binance's REST answers: events, markets and units."""

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    MINUTE,
    BookSnapshot,
    Candles,
    Funding,
    Gap,
    Link,
    OpenInterest,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.instruments import Instrument
from powderkeg.venues.binance import rest
from powderkeg.venues.binance.state import Known
from powderkeg.venues.binance.stream import binance_reader
from powderkeg.venues.reader import UNREADABLE

FOLDER = Path(__file__).parent / "frames" / "binance"
SEEN = 1_766_500_000_000_000
MS = 1000


def sample(name):
    return (FOLDER / f"{name}.json").read_bytes()


def known(symbol="BTCUSDT", name="binance"):
    return Known(name, symbol, 8 * HOUR)


def coin(symbol="BTCUSD_PERP"):
    return known(symbol, "binance-coin")


def kline(start, volume="4", quote="40", buy="1", quote_buy="10"):
    times = (start, start + 59_999)
    return [times[0], "10", "12", "9", "11", volume, times[1], quote, 3, buy, quote_buy, "0"]


def test_candles_are_one_event_without_the_bar_that_runs():
    start = SEEN // MS // 60_000 * 60_000 - 120_000
    rows = [kline(start), kline(start + 60_000), kline(start + 120_000)]
    (event,) = rest.bars(json.dumps(rows).encode(), SEEN, known(), {})
    assert isinstance(event, Candles)
    assert (event.market, event.span, len(event.times)) == ("binance:BTCUSDT", MINUTE, 2)
    assert event.event_time == (start + 120_000) * MS
    assert (event.volume[0], event.buy[0]) == (4.0, 1.0)
    assert np.isnan(event.oi).all()
    assert rest.bars(b"[]", SEEN, known(), {}) == []


def test_coin_margined_candles_have_their_coins_in_columns_seven_and_ten():
    rows = [kline(0, volume="1000", quote="2.5", buy="400", quote_buy="1.5")]
    (event,) = rest.bars(json.dumps(rows).encode(), SEEN, coin(), {})
    assert isinstance(event, Candles)
    assert (event.volume[0], event.buy[0]) == (2.5, 1.5)


def test_a_documented_candle_of_a_week_keeps_its_length():
    raw = sample("http_futures_market_klines").replace(b'"0.80000000"', b'"0.01635000"')
    (event,) = rest.bars(raw, SEEN, known(), {})
    assert isinstance(event, Candles)
    assert event.span == 7 * 24 * HOUR


@pytest.mark.parametrize("times", [[(0, 59_999), (60_000, 359_999)], [(60_000, 59_999)]])
def test_candles_of_several_lengths_or_of_none_are_refused(times):
    rows = [[start, *kline(0)[1:6], end, *kline(0)[7:]] for start, end in times]
    with pytest.raises(ValueError, match="bars of one length"):
        rest.bars(json.dumps(rows).encode(), SEEN, known(), {})


def read(raw, channel, name="binance", symbol=""):
    """Return what a reader makes of an answer, and its state."""
    venue = binance_reader(name, symbol)
    return venue.read(raw, SEEN, channel), venue.state


def test_open_interest_of_now_may_lack_its_time():
    (row,), _ = read(sample("http_futures_market_open_interest"), "openInterest")
    assert row == OpenInterest("binance:BTCUSDT", 1589437530011 * MS, SEEN, 10659.509)
    (row,), _ = read(b'{"openInterest":"1"}', "openInterest:BTCUSDT")
    assert row.event_time == SEEN


def test_open_interest_in_contracts_needs_a_mark():
    events, state = read(b'{"openInterest":"1"}', "openInterest:BTCUSD_PERP", "binance-coin")
    assert events == []
    assert state.skipped == {"open interest in contracts before any mark": 1}


def test_past_open_interest_of_coin_margin_is_the_value_not_the_contracts():
    raw = sample("http_futures_market_open_interest_historical")
    first, _ = rest.interests(raw, SEEN, known(), {})
    assert first == OpenInterest("binance:BTCUSDT", 1583127900000 * MS, SEEN, 20403.637)
    first, _ = rest.interests(raw, SEEN, coin(), {})
    assert isinstance(first, OpenInterest)
    assert first.size == pytest.approx(150570784.07809979)


def test_a_payment_has_the_interval_since_the_previous_one():
    hour = 3_600_000
    rows = [
        {"symbol": "BTCUSDT", "fundingTime": n * hour + 3, "fundingRate": "0.0001"}
        for n in (0, 4, 8, 40)
    ]
    events = rest.fundings(json.dumps(rows).encode(), SEEN, known(), {})
    assert events[1] == Funding("binance:BTCUSDT", (4 * hour + 3) * MS, SEEN, 0.0001, 4 * HOUR)
    spans = [each.interval // HOUR for each in events if isinstance(each, Funding)]
    assert spans == [4, 4, 4, 8]
    first, _ = rest.fundings(sample("http_futures_market_funding_rate"), SEEN, known(), {})
    assert isinstance(first, Funding)
    assert first.rate == -0.0375


def test_a_ratio_is_the_share_of_accounts_that_are_long():
    raw = sample("http_futures_market_global_long_short_account_ratio")
    first, _ = rest.ratios(raw, SEEN, known(), {})
    assert first == Ratio("binance:BTCUSDT", 1583139600000 * MS, SEEN, "accounts", 0.6622)


def test_intervals_are_in_hours_and_names_in_other_letters_left_out():
    raw = json.dumps(
        [
            {"symbol": "LPTUSDT", "fundingIntervalHours": 4, "disclaimer": False},
            {"symbol": "BTCUSDT"},
            {"symbol": "龙USDT", "fundingIntervalHours": 1},
        ]
    )
    assert rest.intervals(raw.encode(), {}) == {"LPTUSDT": 4 * HOUR, "BTCUSDT": 8 * HOUR}


def test_the_clock_is_in_microseconds():
    events, state = read(b'{"serverTime":7}', "clock")
    assert (events, state.server_time) == ([], 7 * MS)


def test_what_answers_say_of_a_symbol_is_kept():
    events, state = read(sample("http_coinm_exchange_info"), "instruments", "binance-coin")
    assert events == []
    assert state.of("BTCUSD_PERP").contract_value == state.instruments["BTCUSD_PERP"].contract
    events, state = read(b'[{"symbol":"LPTUSDT","fundingIntervalHours":4}]', "fundingInfo")
    assert (events, state.of("LPTUSDT").interval) == ([], 4 * HOUR)
    (event,), _ = read(json.dumps([row(1, 1, 1)]).encode(), "trades:BTCUSDT")
    assert event.market == "binance:BTCUSDT"


def test_instruments_of_usd_m_are_in_coins():
    instruments = rest.instruments(sample("http_futures_market_exchange_info"), "binance", {})
    market = "binance:BTCUSDT"
    expected = Instrument(market, "BTC", "binance", "perpetual", True, 1.0, 0.1)
    assert instruments["BTCUSDT"] == expected


def test_instruments_of_coin_m_have_their_contract_size_and_dated_ones_are_left_out():
    instruments = rest.instruments(sample("http_coinm_exchange_info"), "binance-coin", {})
    market = "binance-coin:BTCUSD_PERP"
    expected = Instrument(market, "BTC", "binance-coin", "perpetual", False, 100.0, 0.1)
    assert instruments["BTCUSD_PERP"] == expected
    assert all(symbol.endswith("_PERP") for symbol in instruments)


LISTED = {
    "symbol": "BTCUSDT",
    "baseAsset": "BTC",
    "status": "TRADING",
    "filters": [{"filterType": "LOT_SIZE"}, {"filterType": "PRICE_FILTER", "tickSize": "0.01"}],
}


@pytest.mark.parametrize(
    "more",
    [
        {"contractType": "TRADIFI_PERPETUAL"},
        {"contractType": "PERPETUAL", "underlyingType": "EQUITY"},
        {"contractType": "PERPETUAL", "status": "SETTLING"},
    ],
)
def test_shares_and_what_does_not_trade_are_no_instruments(more):
    raw = json.dumps({"symbols": [LISTED | more]}).encode()
    assert rest.instruments(raw, "binance", {}) == {}


def test_a_pair_of_spot_is_an_instrument_too():
    raw = json.dumps({"symbols": [LISTED]}).encode()
    expected = Instrument("binance-spot:BTCUSDT", "BTC", "binance-spot", "spot", True, 1.0, 0.01)
    assert rest.instruments(raw, "binance-spot", {}) == {"BTCUSDT": expected}


@pytest.mark.parametrize(
    ("more", "name", "why"),
    [
        ({"filters": []}, "binance", "PRICE_FILTER of BTCUSDT"),
        ({"contractType": "PERPETUAL"}, "binance-coin", "dollars in a contract of BTCUSDT"),
    ],
)
def test_an_instrument_without_its_steps_is_refused(more, name, why):
    with pytest.raises(ValueError, match=why):
        rest.instruments(json.dumps({"symbols": [LISTED | more]}).encode(), name, {})


def test_a_spot_book_has_no_time_and_no_symbol():
    raw = b'{"lastUpdateId":5,"bids":[["1","2"]],"asks":[]}'
    expected = BookSnapshot("binance-spot:BTCUSDT", SEEN, SEEN, ((1.0, 2.0),), (), 5)
    assert read(raw, "depth:BTCUSDT", "binance-spot")[0] == [expected]
    assert read(raw, "depth", "binance-spot", "BTCUSDT")[0] == [expected]
    with pytest.raises(WireError, match="a depth snapshot with a symbol"):
        read(raw, "depth", "binance-spot")
    (book,), _ = read(sample("http_futures_market_depth"), "depth:BTCUSDT")
    assert book.event_time == 1589436922959 * MS


@pytest.mark.parametrize(
    "raw", [b'{"code":-1,"msg":"no"}', b' {"error":{"code":-1,"msg":"no"},"id":3}']
)
def test_a_refusal_comes_in_two_forms(raw):
    assert read(raw, "trades:BTCUSDT")[0] == [Link("binance", SEEN, SEEN, "refused", "-1 no")]
    assert rest.unwrap(b'{"result":null,"id":1}') == b'{"result":null,"id":1}'


def row(number, first, last, at=5, **more):
    sample = {
        "a": number,
        "p": "100",
        "q": "2",
        "f": first,
        "l": last,
        "T": at,
        "m": number % 2 == 0,
    }
    return sample | more


def trades(one, *rows):
    skipped = dict[str, int]()
    return rest.trades(json.dumps(rows).encode(), SEEN, one, skipped), skipped


def test_prints_of_an_answer_are_signed_by_who_took():
    (event,), skipped = trades(known(), row(1, 1, 1), row(2, 2, 9, at=6))
    assert isinstance(event, Trades)
    assert event.sizes.tolist() == [2.0, -2.0]
    assert event.times.tolist() == [5 * MS, 6 * MS]
    assert skipped == {}
    (event,), _ = trades(coin(), row(1, 1, 1))
    assert isinstance(event, Trade)
    assert event.size == 2.0


def test_a_hole_within_an_answer_comes_before_its_prints():
    one = known()
    (gap, event), _ = trades(one, row(1, 1, 1), row(3, 5, 5, at=9))
    why = "3 trades missing before trade 5"
    assert gap == Gap("binance:BTCUSDT", 9 * MS, SEEN, 5 * MS, why)
    assert isinstance(event, Trades)
    (event,), skipped = trades(one, row(3, 5, 5), row(4, 7, 7))
    assert isinstance(event, Trade)
    assert skipped == {rest.DUPLICATE: 1, "not of the market: a number in no aggregate": 1}


def test_aggregates_that_jump_without_a_trade_between_leave_no_gap():
    events, skipped = trades(known(), row(1, 1, 3), row(7, 4, 4))
    assert [type(each) for each in events] == [Trades]
    assert skipped == {}


def test_aggregates_without_numbers_are_all_taken():
    bare = {name: sample for name, sample in row(0, 0, 0).items() if name not in {"a", "f", "l"}}
    events, skipped = trades(known(), bare, bare)
    assert [type(each) for each in events] == [Trades]
    assert skipped == {}


@given(st.lists(st.integers(0, 30), max_size=40))
def test_every_aggregate_is_counted_once_in_whatever_order_it_comes(numbers):
    one, prices = known(), list[float]()
    for number in numbers:
        events, _ = trades(one, row(number, 2 * number, 2 * number + 1, p=str(number + 1)))
        prices += [each.price for each in events if isinstance(each, Trade)]
    assert sorted(prices) == sorted(number + 1.0 for number in set(numbers))


@given(st.binary(max_size=200))
@example(b"[]")
@example(b"{}")
def test_any_bytes_are_read_or_an_error_of_the_decoder(raw):
    readers = [
        lambda raw: rest.intervals(raw, {}),
        lambda raw: rest.instruments(raw, "binance", {}),
    ]
    readers += [lambda raw, read=read: read(raw, SEEN, coin(), {}) for read in rest.PAST.values()]
    for read in readers:
        with suppress(msgspec.MsgspecError, ValueError):
            read(raw)


def test_an_unreadable_instrument_is_skipped_and_the_rest_read():
    skipped = {}
    symbols = [LISTED, {"symbol": 5}, LISTED | {"symbol": "XUSDT", "filters": []}]
    raw = json.dumps({"symbols": symbols}).encode()
    assert list(rest.instruments(raw, "binance-spot", skipped)) == ["BTCUSDT"]
    assert skipped == {UNREADABLE: 2}
