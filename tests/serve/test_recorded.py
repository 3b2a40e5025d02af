"""A simulated past, learned from as if it had been recorded."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, ClockTick
from powderkeg.history.snapshots import CODEC, digest
from powderkeg.maps.heatmap.prices import CLOSE, LOW
from powderkeg.maps.views.queries import HeatmapQuery, LevelsQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.startup.recorded import UNREPORTED, Recorded, as_published, play_one
from powderkeg.serve.startup.simulated import events_of
from powderkeg.settings import LIVE
from powderkeg.sim import EPISODES
from powderkeg.simvenues.market.world import make

UNTIL = 1_767_225_600 * SECOND + 2 * HOUR
VENUES = ("binance", "okx")
BINANCE, OKX = "binance:BTCUSDT", "okx:BTC-USDT-SWAP"


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """Return the file of a past of a day and two hours at two venues."""
    path = tmp_path_factory.mktemp("past") / "BTC.past"
    path.write_bytes(pickle.dumps(make("BTC", VENUES, 7, UNTIL, 1.0)[1]))
    return path


@pytest.fixture(scope="module")
def histories(past):
    return pickle.loads(past.read_bytes())  # noqa: S301  written above


@pytest.fixture
def uncached(monkeypatch):
    monkeypatch.setenv("POWDERKEG_CACHE", "0")


def test_a_past_has_the_symbol_of_its_venue_and_the_liquidations_it_reports(histories):
    binance, okx = (as_published("BTC", each) for each in histories)
    assert (binance.market, okx.market) == (BINANCE, OKX)
    seconds = Counter(each.event_time // SECOND for each in binance.liquidations)
    assert set(seconds.values()) == {1}
    whole = len(histories[1].liquidations)
    assert len(okx.liquidations) == whole - whole // UNREPORTED
    assert {each.market for each in okx.liquidations} == {OKX}


def test_bitget_reports_the_largest_of_each_second_and_side_and_hyperliquid_none(histories):
    history = histories[0]
    twice = [
        replace(each, size=size) for each in history.liquidations[:9] for size in (2.0, 3.0, 1.0)
    ]
    bitget = replace(history, market="bitget:BTCUSDT", liquidations=twice)
    told = as_published("BTC", bitget).liquidations
    seconds = {(each.event_time // SECOND, each.position_side) for each in twice}
    assert [each.size for each in told] == [3.0] * len(seconds)
    assert {(each.event_time // SECOND, each.position_side) for each in told} == seconds
    silent = as_published("BTC", replace(history, market="hyperliquid:BTCUSDT"))
    assert (silent.market, silent.liquidations) == ("hyperliquid:BTC", [])


def test_what_is_older_than_can_be_learned_from_is_one_block_without_liquidations(histories):
    edge = UNTIL - 6 * HOUR
    events = events_of(histories[0], edge)
    blocks = [event for event in events if hasattr(event, "liquidations_known")]
    assert [block.liquidations_known for block in blocks] == [False] + [True] * 6
    assert int(blocks[0].times[-1]) + MINUTE == edge
    assert np.concatenate([b.times for b in blocks]).tolist() == histories[0].candles.times.tolist()
    reported = [event for event in events if hasattr(event, "bankruptcy")]
    assert min(event.event_time for event in reported) >= edge


@pytest.mark.usefixtures("uncached")
def test_a_past_is_learned_from_and_the_same_whether_kept_or_not(past, tmp_path, monkeypatch):
    fresh = CODEC.unpack(play_one("BTC", past, 0, LIVE, 7))
    monkeypatch.setenv("POWDERKEG_CACHE", str(tmp_path))
    play_one("BTC", past, 0, LIVE, 7)
    kept = CODEC.unpack(play_one("BTC", past, 0, LIVE, 7))
    assert digest(fresh) == digest(kept)
    (market,) = fresh.markets.values()
    assert market.estimate.fit.reports > 10
    assert market.estimate.forecast_log.count > 10
    assert fresh.now == UNTIL


@pytest.mark.usefixtures("uncached")
def test_what_is_kept_at_one_hour_of_the_day_serves_every_other(past, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "powderkeg.serve.startup.recorded.KEPT", 12 * HOUR
    )  # begins inside the past
    later = tmp_path / "later.past"
    later.write_bytes(pickle.dumps(make("BTC", VENUES, 7, UNTIL + 3 * HOUR, 1.0)[1]))
    fresh = play_one("BTC", later, 0, LIVE, 7)
    monkeypatch.setenv("POWDERKEG_CACHE", str(tmp_path))
    play_one("BTC", past, 0, LIVE, 7)
    assert play_one("BTC", later, 0, LIVE, 7) == fresh


@pytest.mark.usefixtures("uncached")
async def test_markets_enter_their_coins_desk_and_the_first_by_name_leads(past):
    desks = {"BTC": Desk("BTC", LIVE)}
    recorded = Recorded(desks, LIVE, 7, asyncio.sleep(0))
    assert recorded.share("BTC", OKX) == 0.0
    recorded.set_generated("BTC", 0.5)
    assert recorded.share("BTC", OKX) == 0.25
    try:
        await recorded.play("BTC", past)
    finally:
        recorded.close()
    desk = desks["BTC"]
    assert recorded.played == {BINANCE, OKX}
    assert recorded.share("BTC", OKX) == 1.0
    assert set(desk.markets) == {BINANCE, OKX}
    assert desk.leader is desk.markets[BINANCE]
    assert desk.now == UNTIL
    assert desk.counts.bars == 2 * (DAY + 2 * HOUR) // MINUTE
    assert not np.isnan(desk.prices[MINUTE].window(UNTIL // MINUTE - 1, 60)[:, 3]).any()


@pytest.mark.slow
@pytest.mark.usefixtures("uncached")
def test_five_minutes_after_the_opening_the_map_has_seen_a_sweep_and_a_reclaim(tmp_path):
    """T1 without a clock: the desk that a page would show is told step by step."""
    market, histories = make("BTC", VENUES, 7, UNTIL, 1.0, crowd=True)
    path = tmp_path / "BTC.past"
    path.write_bytes(pickle.dumps(histories))
    desk = CODEC.unpack(play_one("BTC", path, 0, LIVE, 7))
    opening, before = desk.price, desk.counts.liquidations
    market.script(EPISODES["BTC"])
    reported = Counter()
    for _ in range(300):
        for event in market.step(1.0):
            if event.market == market.world.markets[0]:
                reported[getattr(event, "position_side", "")] += 1
                desk.apply(replace(event, market=BINANCE))
        desk.apply(ClockTick(market.now))
    heat = VIEWS["heatmap"][1](desk, HeatmapQuery(span="1d"))
    minutes = heat.ohlc[-6:]
    assert np.nanmin(minutes[:, LOW]) < opening * 0.99
    assert minutes[-1, CLOSE] > opening * 0.998
    assert desk.counts.liquidations - before == reported["long"] + reported["short"]
    assert reported["long"] > 10 * max(reported["short"], 1) or reported["long"] > 30
    # What the wick crossed is known ground now: its longs are gone from the map.
    swept = [c for c in VIEWS["levels"][1](desk, LevelsQuery()).clusters if c.side == "long"]
    assert all(c.top < np.nanmin(minutes[:, LOW]) * 1.001 for c in swept)
