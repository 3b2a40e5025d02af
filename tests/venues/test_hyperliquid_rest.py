"""Hyperliquid's answers and trades: what is asked, and every trap."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import DAY, HOUR, MINUTE, Candles, Funding, Positions, Trade, Trades
from powderkeg.instruments import Instrument
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader
from powderkeg.venues.reader import UNREADABLE

from .test_hyperliquid import CONTEXT, FRAMES, META, MS, NOW, SEEN, bar, row, trades


@pytest.mark.parametrize(("side", "taker"), [("B", "buy"), ("A", "sell")])
def test_side_b_is_a_taker_who_bought_and_side_a_one_who_sold(side, taker):
    (event,) = hyperliquid_reader().read(trades(row(side=side)), SEEN)
    at = 1_737_918_847_000 * MS
    assert event == Trade("hyperliquid:BTC", at, SEEN, 105056.0, 0.5, taker)


def test_users_are_public_and_need_not_be_there():
    bare = {name: message for name, message in row().items() if name not in {"users", "hash"}}
    assert hyperliquid_reader().read(trades(bare), SEEN) == hyperliquid_reader().read(
        trades(row()), SEEN
    )


def test_the_first_batch_is_history_and_is_used_as_far_as_it_is_new():
    venue = hyperliquid_reader()
    venue.read(trades(row(tid=7, time=2_000)), SEEN)
    history = [row(tid=5, time=1_000), row(tid=7, time=2_000), row(tid=9, time=3_000)]
    (event,) = venue.read(trades(*history), SEEN)
    assert (event.event_time, type(event)) == (3_000 * MS, Trade)
    assert venue.state.skipped == {"duplicate trade": 1, "trade older than the newest known": 1}


def test_a_trade_is_counted_once_whatever_order_the_batches_come_in():
    venue = hyperliquid_reader()
    recent = [row(tid=3, time=3_000), row(tid=2, time=2_000), row(tid=1, time=1_000)]
    (event,) = venue.read(json.dumps(recent).encode(), SEEN, "trades:BTC")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [1_000 * MS, 2_000 * MS, 3_000 * MS]
    assert venue.read(trades(row(tid=2, time=2_000), row(tid=3, time=3_000)), SEEN) == []
    (event,) = venue.read(trades(row(tid=4, time=3_000)), SEEN)
    assert event.event_time == 3_000 * MS


def test_trades_of_the_same_instant_are_different_trades():
    (event,) = hyperliquid_reader().read(trades(row(tid=1), row(tid=2, side="A"), row(tid=3)), SEEN)
    assert isinstance(event, Trades)
    assert event.sizes.tolist() == [0.5, -0.5, 0.5]


def test_each_coin_has_its_own_newest_trade():
    venue = hyperliquid_reader()
    venue.read(trades(row(tid=1, time=5_000)), SEEN)
    (event,) = venue.read(trades(row(tid=2, time=1_000, coin="ETH")), SEEN)
    assert event.market == "hyperliquid:ETH"


def test_recent_trades_of_another_coin_are_unreadable():
    with pytest.raises(WireError, match="expected rows of ETH, found"):
        hyperliquid_reader().read(json.dumps([row()]).encode(), SEEN, "trades:ETH")


def candles(*bars, seen=NOW, channel="candles:BTC"):
    return hyperliquid_reader().read(json.dumps(bars).encode(), seen, channel)


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


def test_meta_gives_instruments_without_delisted_ones():
    venue = hyperliquid_reader()
    assert venue.read(json.dumps(META).encode(), SEEN, "instruments") == []
    assert venue.state.instruments == {
        "BTC": Instrument("hyperliquid:BTC", "BTC", "hyperliquid", "perpetual", True, 1.0, 0.1),
        "DOGE": Instrument("hyperliquid:DOGE", "DOGE", "hyperliquid", "perpetual", True, 1.0, 1e-6),
    }


def test_maintenance_is_half_the_initial_margin_at_the_greatest_leverage():
    venue = hyperliquid_reader()
    venue.read(json.dumps(META).encode(), SEEN, "instruments")
    low, high = venue.state.tiers["BTC"].tiers
    assert (low.floor, low.cap, low.leverage, low.rate, low.deduction) == (0, 1.5e8, 40, 0.0125, 0)
    assert (high.leverage, high.rate, high.deduction) == (20, 0.025, pytest.approx(1_875_000))
    assert venue.state.tiers["BTC"].continuous
    (only,) = venue.state.tiers["DOGE"].tiers
    assert (only.leverage, only.rate) == (10, 0.05)
    assert venue.state.tiers["DOGE"].valid_from == SEEN
    venue.read((FRAMES / "http_meta_perp_sample.json").read_bytes(), SEEN, "instruments")
    assert sorted(venue.state.tiers) == ["ATOM", "BTC", "ETH"]


@pytest.mark.parametrize("bounds", [["1", "2"], ["0", "0"], ["0", "5", "4"]])
def test_margin_tiers_that_do_not_rise_from_nothing_are_unreadable(bounds):
    steps = [{"lowerBound": bound, "maxLeverage": 5} for bound in bounds]
    meta = {"universe": META["universe"][:1], "marginTables": [[56, {"marginTiers": steps}]]}
    with pytest.raises(WireError, match="margin tiers that rise from 0"):
        hyperliquid_reader().read(json.dumps(meta).encode(), SEEN, "instruments")


def test_instruments_are_asked_by_the_hour_and_trades_once():
    (poll,) = hyperliquid_reader().polls(["BTC"])
    assert (poll.url, poll.body) == ("https://api.hyperliquid.xyz/info", b'{"type":"meta"}')
    assert (poll.channel, poll.every) == ("instruments", HOUR)
    (recent,) = hyperliquid_reader().recent("BTC")
    assert json.loads(recent.body) == {"type": "recentTrades", "coin": "BTC"}
    assert (recent.channel, recent.every) == ("trades:BTC", 0)


def test_an_exchange_of_others_is_asked_for_what_it_lists_and_changes_no_other():
    venue = hyperliquid_reader()
    own, other = venue.polls(["BTC", "xyz:TSLA"])
    assert (own.channel, other.channel) == ("instruments", "instruments:xyz")
    assert json.loads(other.body) == {"type": "meta", "dex": "xyz"}
    assert [each.market for each in other.channels] == ["hyperliquid:xyz:TSLA"]
    listed = {"name": "xyz:TSLA", "szDecimals": 2, "maxLeverage": 10}
    venue.read(json.dumps(META).encode(), SEEN, own.channel)
    venue.read(json.dumps({"universe": [listed]}).encode(), SEEN, other.channel)
    assert set(venue.state.instruments) == set(venue.state.tiers) == {"BTC", "DOGE", "xyz:TSLA"}
    venue.read(json.dumps({"universe": []}).encode(), SEEN, own.channel)
    assert set(venue.state.instruments) == set(venue.state.tiers) == {"xyz:TSLA"}


def test_positions_of_watched_accounts_are_emitted():
    """See test_hyperliquid_accounts.py."""
    venue = hyperliquid_reader()
    (poll,) = venue.watch(["0x" + "ab" * 20])
    held = {"coin": "BTC", "szi": "-1", "entryPx": "100", "liquidationPx": None}
    message = json.dumps({"assetPositions": [{"position": held}], "time": 1}).encode()
    (event,) = venue.read(message, SEEN, poll.channel)
    assert isinstance(event, Positions)
    assert event.market == "hyperliquid:BTC"


@given(st.integers(1_600_000_000, 1_800_000_000), st.integers(1, 120 * 86_400))
def test_the_past_is_asked_without_holes_as_far_as_candles_reach(until, length):
    until, since = until * 10**6, (until - length) * 10**6
    asked = [json.loads(poll.body) for poll in hyperliquid_reader().past("BTC", since, until)]
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
    polls = hyperliquid_reader().past("BTC", NOW - 3 * DAY, NOW)
    assert [poll.weight for poll in polls] == [20 + 3 * 1440 // 60, 20 + 72 // 20]


def test_what_a_reader_remembers_lets_another_go_on():
    one, other = hyperliquid_reader(), hyperliquid_reader()
    one.read(trades(row()), SEEN)
    other.state.load_state(one.state.state_dict())
    assert other.read(trades(row()), SEEN) == []


def test_a_row_of_another_coin_costs_no_row_of_ours():
    venue = hyperliquid_reader()
    rows = [row(tid=1), row(tid=2, coin="ETH")]
    (event,) = venue.read(json.dumps(rows).encode(), SEEN, "trades:BTC")
    assert event.market == "hyperliquid:BTC"
    assert venue.state.skipped == {"row of another coin": 1}


def test_an_unreadable_margin_table_or_coin_is_skipped():
    venue = hyperliquid_reader()
    steps = [{"lowerBound": bound, "maxLeverage": 5} for bound in ("1", "2")]
    meta = {
        "universe": [*META["universe"], {"name": ""}],
        "marginTables": [[56, {"marginTiers": steps}]],
    }
    assert venue.read(json.dumps(meta).encode(), SEEN, "instruments") == []
    assert set(venue.state.instruments) == {"BTC", "DOGE"}
    assert set(venue.state.tiers) == {"DOGE"}
    assert venue.state.skipped == {UNREADABLE: 2}


def test_funding_is_the_rate_of_one_hour():
    _, funding, _ = hyperliquid_reader().read(CONTEXT, SEEN)
    assert funding == Funding("hyperliquid:BTC", SEEN, SEEN, 0.0000125, HOUR)
    raw = (FRAMES / "http_funding_history.json").read_bytes()
    past = hyperliquid_reader().read(raw, SEEN, "funding:BTC")
    assert [type(each) for each in past] == [Funding] * 3
    assert past[1] == Funding("hyperliquid:BTC", 1769912400000 * MS, SEEN, -0.0000081, HOUR)
