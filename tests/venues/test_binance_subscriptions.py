"""Which sockets are kept at Binance and what is asked: routes, limits, pages."""

from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.venues.binance import subscriptions as plan

FUTURES = ["binance", "binance-coin"]
UNTIL = 1_766_500_020_000_000
MS = 1000


def topics(stream):
    return [each.partition("@")[2] for each in query(stream)["streams"].split("/")]


def query(poll):
    return {name: values[0] for name, values in parse_qs(urlsplit(poll.url).query).items()}


@pytest.mark.parametrize("name", FUTURES)
def test_books_go_over_the_public_route_and_all_else_over_the_market_route(name):
    public, market = plan.streams(name, ["BTCUSDT"])
    assert urlsplit(public.url).path == "/public/stream"
    assert topics(public) == ["depth@100ms", "bookTicker"]
    assert urlsplit(market.url).path == "/market/stream"
    assert topics(market) == ["aggTrade", "markPrice@1s", "forceOrder"]
    assert {each.kind for each in public.channels} == {"book"}
    kinds = {each.kind for each in market.channels}
    assert kinds == {"trades", "mark", "funding", "liquidations"}


def test_a_name_of_a_stream_is_in_small_letters():
    for name in plan.SITES:
        for stream in plan.streams(name, ["BTCUSD_PERP"]):
            assert "btcusd_perp@" in stream.url
            assert "BTCUSD" not in stream.url


def test_spot_has_one_route_and_no_marks():
    (stream,) = plan.streams("binance-spot", ["BTCUSDT"])
    assert urlsplit(stream.url).path == "/stream"
    assert topics(stream) == ["depth@100ms", "bookTicker", "aggTrade"]


@given(st.sampled_from(list(plan.SITES)), st.integers(0, 450))
def test_every_symbol_is_on_sockets_of_200_streams_at_most(name, n):
    symbols = [f"A{i}USDT" for i in range(n)]
    streams = plan.streams(name, symbols)
    assert all(len(topics(each)) <= 200 for each in streams)
    asked = [one for each in streams for one in query(each)["streams"].split("/")]
    assert len(asked) == len(set(asked)) == n * (3 if name == "binance-spot" else 5)
    assert all(each.max_age == DAY for each in streams)
    kept = {channel.market for each in streams for channel in each.channels}
    assert kept == {f"{name}:{symbol}" for symbol in symbols}


def test_silence_of_liquidations_says_nothing():
    _, market = plan.streams("binance", ["BTCUSDT"])
    expected_interval = {each.kind: each.expected_interval for each in market.channels}
    assert expected_interval["liquidations"] == 0
    assert expected_interval["mark"] == 5 * SECOND


def test_open_interest_must_be_asked_every_five_seconds():
    polls = {each.channel: each for each in plan.polls("binance", ["BTCUSDT"])}
    assert list(polls) == [
        "instruments",
        "clock",
        "fundingInfo",
        "openInterest:BTCUSDT",
        "ratio:BTCUSDT",
    ]
    asked = polls["openInterest:BTCUSDT"]
    assert asked.url == "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"
    assert asked.every == 5 * SECOND
    assert [each.kind for each in asked.channels] == ["oi"]
    ratio = polls["ratio:BTCUSDT"]
    assert query(ratio) == {"symbol": "BTCUSDT", "period": "5m", "limit": "1"}
    assert urlsplit(ratio.url).path == "/futures/data/globalLongShortAccountRatio"


def test_spot_has_neither_open_interest_nor_funding():
    polls = [each.channel for each in plan.polls("binance-spot", ["BTCUSDT"])]
    assert polls == ["instruments", "clock"]
    past = {each.channel for each in plan.past("binance-spot", "BTCUSDT", UNTIL - DAY, UNTIL)}
    assert past == {"candles:BTCUSDT"}


def test_coin_margined_statistics_are_asked_by_pair():
    polls = {each.channel: each for each in plan.polls("binance-coin", ["BTCUSD_PERP"])}
    assert query(polls["ratio:BTCUSD_PERP"])["pair"] == "BTCUSD"
    past = plan.past("binance-coin", "BTCUSD_PERP", UNTIL - HOUR, UNTIL)
    asked = next(query(each) for each in past if each.channel == "interest:BTCUSD_PERP")
    assert (asked["pair"], asked["contractType"]) == ("BTCUSD", "PERPETUAL")
    assert "symbol" not in asked


@given(st.sampled_from(FUTURES), st.integers(1, 60 * 24 * 60))
def test_the_past_is_asked_without_holes_and_open_interest_for_a_month_at_most(name, minutes):
    since = UNTIL - minutes * MINUTE
    polls = plan.past(name, "BTCUSDT", since, UNTIL)
    for kind, rows, span in (
        ("candles", 1500, MINUTE),
        ("interest", 500, 5 * MINUTE),
        ("funding", 1000, HOUR),
    ):
        asked = [query(each) for each in polls if each.channel == f"{kind}:BTCUSDT"]
        time_chunks = [(int(each["startTime"]), int(each["endTime"]) + 1) for each in asked]
        oldest = max(since, UNTIL - 30 * DAY + HOUR) if kind == "interest" else since
        assert (time_chunks[0][0], time_chunks[-1][1]) == (oldest // MS, UNTIL // MS)
        assert all(before[1] == after[0] for before, after in pairwise(time_chunks))
        assert all(end - start <= rows * span // MS for start, end in time_chunks)
        assert {each["limit"] for each in asked} == {str(rows)}


@pytest.mark.parametrize(
    ("name", "weights"), [("binance", (20, 10, 20)), ("binance-spot", (50, 2, 4))]
)
def test_requests_carry_their_weight(name, weights):
    (recent,) = plan.recent(name, "BTCUSDT")
    (candles, *_) = plan.past(name, "BTCUSDT", UNTIL - DAY, UNTIL)
    shot = plan.snapshot(name, "BTCUSDT")
    assert (shot.weight, candles.weight, recent.weight) == weights
    assert query(shot) == {"symbol": "BTCUSDT", "limit": "1000"}
    assert (shot.channel, recent.channel) == ("depth:BTCUSDT", "trades:BTCUSDT")
    assert plan.SITES[name].limits.header == "X-MBX-USED-WEIGHT-1M"
