"""The desk: every event in its place, and time that only events bring."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.engine.exposure.table import SWEPT
from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Candle,
    Candles,
    ClockTick,
    Funding,
    Gap,
    Link,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Quote,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.maps.heatmap.ring import FILLED, HOLE
from powderkeg.maps.views.queries import ReachQuery
from powderkeg.maps.views.views import bars
from powderkeg.market.book import Resync

T = 1_767_225_600 * SECOND
M = "binance:BTCUSDT"


def seeded(price=100_000.0, oi=1000.0):
    """Return a desk whose market has a price, a mark, and open interest that has risen."""
    desk = Desk("BTC")
    desk.apply(Trade(M, T, T, price, 1.0, "buy"))
    desk.apply(Mark(M, T, T, price))
    desk.apply(OpenInterest(M, T, T, oi))
    desk.apply(Trade(M, T + SECOND, T + SECOND, price, 50.0, "buy"))
    desk.apply(OpenInterest(M, T + MINUTE, T + MINUTE, oi + 20))
    return desk


def test_a_rise_of_open_interest_makes_fuel_on_both_sides_of_the_price():
    split = bars(seeded(), ReachQuery(reach=0.4))
    assert split.long > 0
    assert split.short > 0


def test_a_mark_that_falls_through_a_level_leaves_nothing_above_it():
    desk = seeded()
    desk.apply(Mark(M, T + 2 * MINUTE, T + 2 * MINUTE, 98_500.0))
    (known,) = desk.estimated()
    assert known.estimate.exposure.audit().wrong_side == 0
    before = bars(seeded(), ReachQuery(reach=0.01)).long
    assert before > 0


def test_a_single_print_two_percent_off_moves_nothing_until_confirmed():
    desk = seeded()
    desk.apply(Trade(M, T + 2 * MINUTE, T + 2 * MINUTE, 102_500.0, 1.0, "buy"))
    assert desk.price == 100_000.0
    desk.apply(Trade(M, T + 2 * MINUTE + 1, T + 2 * MINUTE + 1, 102_510.0, 1.0, "buy"))
    assert desk.price == 102_510.0


def test_the_last_trade_never_sweeps():
    desk = seeded()
    swept = [k.estimate.exposure.audit().swept for k in desk.estimated()]
    for i in range(3):
        desk.apply(Trade(M, T + 2 * MINUTE + i, T + 2 * MINUTE + i, 98_500.0, 1.0, "sell"))
    assert [k.estimate.exposure.audit().swept for k in desk.estimated()] == swept


def test_time_passes_by_ticks_and_minutes_draw_columns():
    desk = seeded()
    desk.apply(ClockTick(T + 5 * MINUTE))
    assert desk.now == T + 5 * MINUTE
    ring = desk.markets[M].rings[MINUTE]
    assert ring.states[(T + 4 * MINUTE) // MINUTE % ring.size] == FILLED
    desk.apply(ClockTick(T))
    assert desk.now == T + 5 * MINUTE


def test_a_gap_is_a_hole_in_the_map_and_asks_for_a_new_book():
    desk = seeded()
    desk.apply(BookSnapshot(M, T, T, ((99_999.0, 1.0),), ((100_001.0, 1.0),), 5))
    asks = desk.apply(Gap(M, T + 2 * HOUR, T + 2 * HOUR, T + HOUR, "silence"))
    ring = desk.markets[M].rings[5 * MINUTE]
    assert ring.states[(T + HOUR + 30 * MINUTE) // (5 * MINUTE) % ring.size] == HOLE
    assert desk.counts.gaps == 1
    assert all(isinstance(ask, Resync) for ask in asks)


def test_a_book_delta_before_any_snapshot_asks_for_one():
    asks = Desk("BTC").apply(BookDelta(M, T, T, ((99.0, 1.0),), (), 1, 2, 0))
    assert [type(ask) for ask in asks] == [Resync]


def test_a_rebuilt_book_is_compared_with_the_venues_own_quote():
    desk = Desk("BTC")
    desk.apply(BookSnapshot(M, T, T, ((99.0, 1.0),), ((101.0, 1.0),), 5))
    desk.apply(Quote(M, T, T, 100.0, 2.0, 101.0, 1.0, 6))
    desk.apply(BookDelta(M, T, T, ((100.0, 2.0),), (), 6, 6, 5))
    assert (desk.markets[M].quotes.matched, desk.markets[M].quotes.differed) == (1, 0)


def test_a_spot_market_has_a_tape_but_no_map():
    desk = Desk("BTC")
    desk.apply(Trade("binance-spot:BTCUSDT", T, T, 100.0, 1.0, "buy"))
    desk.apply(Mark("binance-spot:BTCUSDT", T, T, 100.0))
    assert list(desk.estimated()) == []
    assert math.isnan(desk.price)


def test_candles_fill_the_rings_they_are_not_too_coarse_for():
    desk = Desk("BTC")
    n = 24
    times = T + np.arange(n) * 5 * MINUTE
    flat = np.full(n, 100_000.0)
    oi = 1000.0 + np.arange(n)
    end = int(times[-1]) + 5 * MINUTE
    block = Candles(
        M, end, end, 5 * MINUTE, times, flat, flat * 1.001, flat * 0.999, flat,
        np.full(n, 10.0), np.full(n, 5.0), oi, flat * 0.999, flat * 1.001, flat,
    )  # fmt: skip
    desk.apply(block)
    rings = desk.markets[M].rings
    assert rings[MINUTE].last == -1
    assert (rings[5 * MINUTE].states == FILLED).sum() == n
    assert desk.price == 100_000.0


def test_one_candle_is_a_run_of_one():
    desk = Desk("BTC")
    desk.apply(Candle(M, T, T + MINUTE, MINUTE, 100.0, 101.0, 99.0, 100.5, 3.0, 1.0))
    assert desk.price == 100.5
    assert desk.prices[MINUTE].window(T // MINUTE, 1)[0].tolist() == [
        100.0,
        101.0,
        99.0,
        100.5,
        3.0,
    ]


def test_liquidations_and_bars_of_an_aggregate_reach_the_estimates_by_share_of_oi():
    desk = seeded()
    other = "bybit:BTCUSDT"
    desk.apply(Trade(other, T, T, 100_000.0, 1.0, "buy"))
    desk.apply(Mark(other, T, T, 100_000.0))
    desk.apply(OpenInterest(other, T, T, 340.0))
    desk.apply(Liquidation(M, T + MINUTE, T + MINUTE, 99_000.0, 2.0, "long", True))
    desk.apply(LiquidationBar("aggregate:BTC", T, T + HOUR, HOUR, 8.0, 4.0))
    desk.apply(LiquidationBar(other, T, T + HOUR, HOUR, 1.0, 1.0))
    assert desk.counts.liquidations == 1
    assert [k.estimate.events for k in desk.estimated()] == [2, 2]
    sums = [k.estimate._liquidations.within(T, T + 2 * HOUR) for k in desk.estimated()]
    interest = np.array([k.estimate.oi for k in desk.estimated()])
    shares = np.outer(interest / interest.sum(), [8.0, 4.0])
    alone = np.array([[2.0, 0.0], [1.0, 1.0]])  # reported by each of them itself
    assert np.array(sums) == pytest.approx(shares + alone)


def test_a_link_that_goes_down_is_told_and_loses_the_book():
    desk = seeded()
    desk.apply(BookSnapshot(M, T, T, ((99_999.0, 1.0),), ((100_001.0, 1.0),), 5))
    asks = desk.apply(Link(M, T, T, "down"))
    assert desk.markets[M].link == "down"
    assert len(asks) == 1
    assert desk.apply(Link(M, T, T, "up")) == []


def test_funding_and_ratios_are_kept():
    desk = seeded()
    desk.apply(Funding(M, T, T, 1e-4, 8 * HOUR))
    desk.apply(Ratio(M, T, T, "accounts", 0.8))
    assert desk.markets[M].carry.funding == 1e-4
    assert desk.flow.market(M).readings.latest["accounts"] == (T, 0.8)


def test_runs_of_prints_and_single_prints_give_the_same_estimate():
    one, many = seeded(), seeded()
    times = T + 2 * MINUTE + np.arange(5)
    prices = 100_000.0 + np.arange(5) * 60
    sizes = np.array([1.0, -2.0, 3.0, -1.0, 0.5])
    for at, price, size in zip(times.tolist(), prices.tolist(), sizes.tolist(), strict=True):
        one.apply(Trade(M, at, at, price, abs(size), "buy" if size > 0 else "sell"))
    many.apply(Trades(M, int(times[-1]), int(times[-1]), times, prices, sizes))
    for desk in (one, many):
        desk.apply(ClockTick(T + 5 * MINUTE))
    (a,), (b,) = list(one.estimated()), list(many.estimated())
    assert np.array_equal(a.estimate.exposure.cells, b.estimate.exposure.cells)


def test_within_the_horizon_blocks_set_the_pace():
    desk = Desk("BTC", horizon=T + HOUR)
    desk.apply(Trade(M, T, T, 100.0, 1.0, "buy"))
    desk.apply(Mark(M, T, T, 100.0))
    desk.apply(ClockTick(T + 30 * MINUTE))
    assert desk.markets[M].rings[MINUTE].last == -1
    desk.apply(ClockTick(T + 2 * HOUR))
    assert desk.markets[M].rings[MINUTE].last > 0


@pytest.mark.parametrize("size", [0.0, -1.0])
def test_an_unknown_open_interest_leaves_the_mass_unbounded_but_finite(size):
    desk = Desk("BTC")
    desk.apply(Trade(M, T, T, 100_000.0, 1.0, "buy"))
    desk.apply(Mark(M, T, T, 100_000.0))
    desk.apply(Trade(M, T + SECOND, T + SECOND, 100_000.0, 50.0 + size, "buy"))
    desk.apply(ClockTick(T + MINUTE))
    assert 0 < bars(desk, ReachQuery(reach=0.4)).long < 1e9


def prints(desk, prices, start=T, every=10 * SECOND):
    for n, price in enumerate(prices):
        at = start + n * every
        desk.apply(Trade(M, at, at, price, 1.0, "buy"))
        desk.apply(ClockTick(at + SECOND))


def test_prints_stand_in_for_the_mark_after_a_minute_without_one():
    desk = Desk("BTC")
    prints(desk, [100_000.0] * 6)
    assert list(desk.estimated()) == [], "a mark may still come"
    prints(desk, [100_000.0, 100_100.0, 99_950.0], T + MINUTE)
    desk.apply(ClockTick(T + 100 * SECOND))
    (known,) = desk.estimated()
    assert known.estimate.mark == pytest.approx(99_950.0)
    assert known.estimate.exposure.audit().wrong_side == 0


def test_prints_sweep_as_far_as_they_went_between_two_flushes():
    desk = Desk("BTC")
    prints(desk, [100_000.0] * 30)
    at = T + 300 * SECOND
    for n, price in enumerate((99_000.0, 101_000.0, 100_000.0)):
        desk.apply(Trade(M, at + n, at + n, price, 1.0, "sell"))
    desk.apply(ClockTick(at + 10 * SECOND))
    (known,) = desk.estimated()
    assert (known.estimate.exposure.ledger[SWEPT].sum(axis=1) > 0).all()
    assert known.estimate.mark == pytest.approx(100_000.0)


def test_once_a_mark_is_published_prints_move_it_no_more():
    desk = seeded()
    prints(desk, [100_500.0] * 20, T + 2 * MINUTE)
    (known,) = desk.estimated()
    assert known.estimate.mark == pytest.approx(100_000.0)


def test_bars_whose_volume_was_assumed_are_counted():
    desk = Desk("BTC")
    n = 3
    times, ones = T + np.arange(n) * MINUTE, np.full(n, 100.0)
    end = int(times[-1]) + MINUTE
    columns = [ones] * 4 + [np.zeros(n)] * 2 + [ones * 10] + [ones] * 3
    desk.apply(Candles(M, end, end, MINUTE, times, *columns, assumed=2))
    assert desk.counts.assumed == 2
    assert desk.markets[M].assumed == end


def test_columns_drawn_before_the_first_open_interest_hold_no_more_than_it():
    desk = Desk("BTC")
    prices = 100_000 * np.exp(np.random.default_rng(3).normal(0, 1e-3, 121).cumsum())
    times = T + np.arange(120) * MINUTE
    none = np.full(120, math.nan)
    low, high = (f(prices[:-1], prices[1:]) for f in (np.minimum, np.maximum))
    desk.apply(
        Candles(
            M, T + 2 * HOUR, T + 2 * HOUR, MINUTE, times, prices[:-1], high, low, prices[1:],
            np.full(120, 50.0), np.full(120, 25.0), none, low, high, prices[1:],
        )
    )  # fmt: skip
    ring = desk.markets[M].rings[MINUTE]
    drawn = ring.known() % ring.size
    held = ring.unbounded[drawn].max(axis=1)
    assert held[-1] > 10
    assert (ring.shares(drawn) == 1).all()
    desk.apply(OpenInterest(M, T + 2 * HOUR, T + 2 * HOUR, 10.0))
    desk.apply(ClockTick(T + 2 * HOUR + MINUTE))
    assert (ring.shares(drawn) * ring.unbounded[drawn] <= 10.0 * (1 + 1e-9)).all()
    desk.apply(OpenInterest(M, T + 3 * HOUR, T + 3 * HOUR, 99.0))
    desk.apply(ClockTick(T + 3 * HOUR + MINUTE))
    assert ring.bound == 10.0


def test_each_minute_that_ends_is_given_to_the_sweeps_once(monkeypatch):
    desk, seen = Desk("BTC"), list[int]()
    monkeypatch.setattr(type(desk.sweeps), "advance", lambda _, __, ___, at: seen.append(at))
    for at in (T, T + 30 * SECOND, T + 61 * SECOND, T + 62 * SECOND, T + 185 * SECOND):
        desk.apply(ClockTick(at))
    assert seen == [T + MINUTE, T + 3 * MINUTE]
