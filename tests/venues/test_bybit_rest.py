"""Bybit over REST: what is asked, and the traps of the answers."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
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
    Link,
    OpenInterest,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.instruments import Instrument, Tier
from powderkeg.venues import VenueReader
from powderkeg.venues.bybit.stream import bybit_reader

from . import fuzz

DOCUMENTED = json.loads(
    (Path(__file__).parent / "frames" / "bybit" / "documented.json").read_text()
)
SEEN = 1_740_480_208_000_000
MS = 1000
START = 1_740_480_000_000
"""A full five minutes, ms."""


def answer(rows: object, **more: object) -> bytes:
    result = {"list": rows} | more
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": START}).encode()


def documented(name: str) -> bytes:
    return json.dumps(DOCUMENTED[name]).encode()


def linear() -> VenueReader:
    return bybit_reader("linear")


def inverse() -> VenueReader:
    return bybit_reader("inverse")


def kline(start: int, close: float = 11, volume: float = 4, turnover: float = 40) -> list[str]:
    return [str(each) for each in (start, 10, 12, 9, close, volume, turnover)]


def test_the_clock_is_kept_and_is_no_event():
    venue = linear()
    assert venue.state.server_time == 0
    raw = b'{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1"},"time":1740480000123}'
    assert venue.read(raw, SEEN, "clock") == []
    assert venue.state.server_time == 1740480000123 * MS


def test_a_refused_request_is_reported_with_the_venues_message():
    raw = json.dumps({"retCode": 10001, "retMsg": "params error" * 20}).encode()
    (event,) = linear().read(raw, SEEN, "candles:BTCUSDT")
    assert event == Link("bybit", SEEN, SEEN, "refused", ("params error" * 20)[:120])


def test_instruments_are_the_trading_perpetuals_of_the_category():
    venue = linear()
    raw = documented("http_get_instruments_linear")
    assert venue.read(raw, SEEN, "instruments") == []
    assert venue.state.instruments["BTCUSDT"] == Instrument(
        "bybit:BTCUSDT", "BTC", "bybit", "perpetual", linear=True, contract=1.0, tick=0.5
    )
    assert inverse().read(raw, SEEN, "instruments") == []


def test_an_inverse_contract_is_one_dollar():
    venue = inverse()
    venue.read(documented("http_get_instruments_inverse"), SEEN, "instruments")
    found = venue.state.instruments["BTCUSD"]
    assert (found.linear, found.contract, found.market) == (False, 1.0, "bybit-inverse:BTCUSD")


def test_an_instrument_that_is_gone_from_the_answer_is_gone():
    venue = linear()
    venue.read(documented("http_get_instruments_linear"), SEEN, "instruments")
    venue.read(documented("http_get_instruments_linear_symbol_type"), SEEN, "instruments")
    assert set(venue.state.instruments) == {"TSLAUSDT"}


def test_a_dated_future_and_a_halted_perpetual_are_left_out_and_counted():
    venue = inverse()
    (row,) = json.loads(documented("http_get_instruments_inverse"))["result"]["list"]
    rows = [row | {"contractType": "InverseFutures"}, row | {"status": "Closed"}]
    venue.read(answer(rows, nextPageCursor="page2"), SEEN, "instruments")
    assert venue.state.instruments == {}
    assert venue.state.skipped == {
        "instrument that is no trading perpetual": 2,
        "instruments beyond the first page": 1,
    }


def test_the_funding_interval_comes_from_the_instruments_in_minutes():
    venue = linear()
    (row,) = json.loads(documented("http_get_instruments_linear_symbol_type"))["result"]["list"]
    venue.read(answer([row | {"fundingInterval": 240}]), SEEN, "instruments")
    funded = {"symbol": "TSLAUSDT", "fundingRate": "0.001", "fundingRateTimestamp": str(START)}
    (event,) = venue.read(answer([funded]), SEEN, "funding:TSLAUSDT")
    assert event == Funding("bybit:TSLAUSDT", START * MS, SEEN, 0.001, 4 * HOUR)


def test_past_funding_is_in_order_of_time_with_the_interval_between_payments():
    first, second = linear().read(documented("http_get_funding_history"), SEEN, "funding:BTCUSDT")
    assert first == Funding("bybit:BTCUSDT", 1709856000000 * MS, SEEN, 0.00015, 8 * HOUR)
    assert second == Funding("bybit:BTCUSDT", 1709884800000 * MS, SEEN, 0.0001, 8 * HOUR)


def test_bars_arrive_newest_first_and_are_emitted_oldest_first_without_the_open_one():
    rows = [kline(START + n * 60_000, 10 + n / 10) for n in (3, 2, 1, 0)]
    seen = (START + 4 * 60_000) * MS - 1
    (event,) = linear().read(answer(rows), seen, "candles:BTCUSDT")
    assert isinstance(event, Candles)
    assert event.times.tolist() == [(START + n * 60_000) * MS for n in range(3)]
    assert event.event_time == (START + 3 * 60_000) * MS
    assert event.close.tolist() == event.mark.tolist() == [10, 10.1, 10.2]
    assert event.volume.tolist() == [4, 4, 4]
    assert event.buy.tolist() == [2, 2, 2]
    assert np.isnan(event.oi).all()


def test_the_volume_of_an_inverse_bar_is_its_turnover_in_coins():
    rows = [kline(START, volume=5000, turnover=0.25)]
    (event,) = inverse().read(answer(rows), SEEN, "candles:BTCUSD")
    assert isinstance(event, Candles)
    assert event.volume.tolist() == [0.25]


def test_a_bar_whose_close_is_above_its_high_is_unreadable():
    with pytest.raises(WireError, match="expected low"):
        linear().read(answer([kline(START, close=13)]), SEEN, "candles:BTCUSDT")


def test_past_open_interest_counts_both_sides_unless_the_single_side_is_given():
    rows = [
        {"openInterest": "30", "singleOpenInterest": "14", "timestamp": str(START + 300_000)},
        {"openInterest": "20", "timestamp": str(START)},
    ]
    events = linear().read(answer(rows), SEEN, "interest:BTCUSDT")
    assert events == [
        OpenInterest("bybit:BTCUSDT", START * MS, SEEN, 10.0),
        OpenInterest("bybit:BTCUSDT", (START + 300_000) * MS, SEEN, 14.0),
    ]


def test_past_inverse_open_interest_is_divided_by_the_close_of_the_bar_that_ended_then():
    venue = inverse()
    rows = [{"openInterest": str(n), "timestamp": str(START + n * 300_000)} for n in (2, 1)]
    assert venue.read(answer(rows), SEEN, "interest:BTCUSD") == []
    assert venue.state.skipped == {"past open interest in dollars without a price": 2}
    venue.read(answer([kline(START + 4 * 60_000, 10)]), SEEN, "candles:BTCUSD")
    (event,) = venue.read(answer(rows), SEEN, "interest:BTCUSD")
    assert event == OpenInterest("bybit-inverse:BTCUSD", (START + 300_000) * MS, SEEN, 0.05)


def test_closes_kept_for_past_open_interest_are_bounded(monkeypatch):
    monkeypatch.setattr("powderkeg.venues.bybit.rest._CLOSES", 2)
    venue = inverse()
    bars = [kline(START + (5 * n + 4) * 60_000, 10) for n in (2, 1, 0)]
    venue.read(answer(bars), SEEN, "candles:BTCUSD")
    rows = [{"openInterest": "1", "timestamp": str(START + n * 300_000)} for n in (3, 2, 1)]
    events = venue.read(answer(rows), SEEN, "interest:BTCUSD")
    assert [event.event_time for event in events] == [(START + n * 300_000) * MS for n in (2, 3)]  # type: ignore[union-attr]


def test_a_ratio_is_the_share_of_accounts_that_are_long():
    row = {
        "symbol": "BTCUSDT",
        "buyRatio": "0.5777",
        "sellRatio": "0.4223",
        "timestamp": str(START),
    }
    (event,) = linear().read(answer([row]), SEEN, "ratio:BTCUSDT")
    assert event == Ratio("bybit:BTCUSDT", START * MS, SEEN, "accounts", 0.5777)


LIMIT = {
    "symbol": "BTCUSDT",
    "riskLimitValue": "2000000",
    "maintenanceMargin": "0.005",
    "initialMargin": "0.01",
    "maxLeverage": "100.00",
    "mmDeduction": "",
}
SECOND = LIMIT | {
    "riskLimitValue": "2600000",
    "maintenanceMargin": "0.0056",
    "initialMargin": "0.0111",
    "maxLeverage": "90.00",
    "mmDeduction": "1200",
}


@pytest.mark.parametrize("percent", [False, True])
def test_margin_rates_are_fractions_even_where_the_venue_sends_percent(percent):
    rows = [SECOND, LIMIT]
    if percent:
        rows = [
            row
            | {key: str(100 * float(row[key])) for key in ("maintenanceMargin", "initialMargin")}
            for row in rows
        ]
    venue = linear()
    assert venue.read(answer(rows), SEEN, "tiers:BTCUSDT") == []
    table = venue.state.tiers["BTCUSDT"]
    first, second = table.tiers
    assert first == Tier(0, 2e6, 100, pytest.approx(0.005), 0)
    assert second == Tier(2e6, 2.6e6, 90, pytest.approx(0.0056), 1200)
    assert table.continuous
    assert table.valid_from == SEEN


@pytest.mark.parametrize("wrong", [{"maintenanceMargin": "1"}, {"mmDeduction": "-1"}])
def test_a_margin_rate_or_a_deduction_beyond_reason_is_unreadable(wrong):
    with pytest.raises(WireError, match="expected a margin rate below 1"):
        linear().read(answer([LIMIT | wrong]), SEEN, "tiers:BTCUSDT")


def test_an_answer_without_tiers_leaves_none():
    venue = linear()
    assert venue.read(answer([]), SEEN, "tiers:BTCUSDT") == []
    assert venue.state.tiers == {}


def test_latest_trades_arrive_newest_first_and_are_emitted_oldest_first():
    rows = [
        {"execId": str(n), "price": "5", "size": "2", "side": "Sell", "time": str(START + n)}
        for n in (2, 1)
    ]
    (event,) = linear().read(answer(rows), SEEN, "trades:BTCUSDT")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [(START + 1) * MS, (START + 2) * MS]
    assert event.sizes.tolist() == [-2, -2]


def test_a_trade_of_two_answers_counts_once_and_inverse_sizes_are_dollars():
    row = {"execId": "1", "price": "5", "size": "2", "side": "Sell", "time": str(START)}
    venue, raw = inverse(), answer([row, row | {"execId": "2", "isBlockTrade": True}])
    (event,) = venue.read(raw, SEEN, "trades:BTCUSD")
    assert event == Trade("bybit-inverse:BTCUSD", START * MS, SEEN, 5.0, 0.4, "sell")
    assert venue.read(raw, SEEN, "trades:BTCUSD") == []
    assert venue.state.skipped == {"duplicate trade": 2, "block trade": 1}


def test_an_answer_to_an_unknown_request_is_counted_and_left_out():
    venue = linear()
    assert venue.read(answer([]), SEEN, "weather:BTCUSDT") == []
    assert venue.state.skipped == {"answer to weather:BTCUSDT": 1}


def query(url: str) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}


def test_instruments_are_asked_for_first_then_the_clock():
    polls = inverse().polls(["BTCUSD", "ETHUSD"])
    assert [each.channel for each in polls] == [
        "instruments",
        "clock",
        "tiers:BTCUSD",
        "ratio:BTCUSD",
        "tiers:ETHUSD",
        "ratio:ETHUSD",
    ]
    assert polls[0].url.startswith("https://api.bybit.com/v5/market/instruments-info?")
    assert polls[1].url == "https://api.bybit.com/v5/market/time"
    assert query(polls[0].url) == {"category": "inverse", "limit": "1000"}
    assert query(polls[3].url)["period"] == "5min"
    assert [each.every for each in polls[:4]] == [HOUR, MINUTE, HOUR, 5 * MINUTE]


def test_the_latest_trades_are_asked_for_by_the_thousand():
    (asked,) = linear().recent("BTCUSDT")
    assert asked.channel == "trades:BTCUSDT"
    assert query(asked.url) == {"category": "linear", "symbol": "BTCUSDT", "limit": "1000"}


def test_the_past_is_asked_for_bars_first_because_open_interest_needs_their_prices():
    polls = linear().past("BTCUSDT", START * MS, START * MS + 2 * DAY)
    kinds = [each.channel.partition(":")[0] for each in polls]
    assert kinds == ["candles"] * 3 + ["interest"] * 3 + ["funding"]
    assert "/kline?" in polls[0].url
    assert "/open-interest?" in polls[3].url
    assert "/funding/history?" in polls[6].url


@given(st.integers(0, 40 * 24 * 60), st.integers(1, 40 * 24 * 60))
def test_every_minute_of_the_past_is_asked_for_once(first, count):
    since, until = START * MS + first * MINUTE, START * MS + (first + count) * MINUTE
    polls = [p for p in linear().past("BTCUSDT", since, until) if p.channel.startswith("candles")]
    asked: list[int] = []
    for each in polls:
        found = query(each.url)
        minutes = range(-(-int(found["start"]) // 60_000), int(found["end"]) // 60_000 + 1)
        assert len(minutes) <= int(found["limit"]) == 1000
        asked += minutes
    assert asked == list(range(since // MINUTE, until // MINUTE))


ANSWERS = {
    "instruments": documented("http_get_instruments_inverse"),
    "candles:BTCUSD": answer([kline(START + 60_000), kline(START)]),
    "interest:BTCUSD": answer([{"openInterest": "5", "timestamp": str(START)}]),
    "funding:BTCUSD": documented("http_get_funding_history"),
    "ratio:BTCUSD": answer([{"buyRatio": "0.5", "timestamp": str(START)}]),
    "tiers:BTCUSD": answer([LIMIT, SECOND]),
    "trades:BTCUSD": documented("http_get_trades_recent"),
    "clock": answer([]),
}


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_any_value_in_any_field_of_an_answer_is_events_or_a_wire_error(channel, pick):
    message = json.loads(ANSWERS[channel])
    fuzz.change(pick, [message, *message["result"]["list"]])
    for venue in (linear(), inverse()):
        fuzz.readable(venue, json.dumps(message).encode(), SEEN, channel)
