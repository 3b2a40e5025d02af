"""What openings are made of: one large, many small, or not known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.classes import CLASSES, GROUP, TIME, VOLUME, four_tiers, learned
from powderkeg.engine.exposure.concentration import (
    LIFE,
    EntryConcentration,
    HHISums,
    liquidation_kernel,
)
from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Candles
from powderkeg.grid import BIN

START = 1_767_225_600 * SECOND
PRICE = 100_000.0
HERE = math.floor(math.log(PRICE) / BIN)
ONES = np.ones(CLASSES)
EVERYWHERE = (HERE - 10_000, HERE + 10_000)
seeds = st.integers(0, 2**32 - 1)


def prints(sizes, *, price=PRICE, every=1_000, since=START):
    """Return columns of prints, each with a stamp of its own."""
    n = len(sizes)
    prices = np.full(n, float(price))
    return since + every * np.arange(n, dtype=np.int64), prices, np.array(sizes, np.float64)


def opened(*runs):
    """Return openings of these runs of prints."""
    made = EntryConcentration()
    for run in runs:
        made.add_trades(*run)
    return made


def reported(openings, *, side=0, where=EVERYWHERE, at=START, own=0.7, weights=ONES):
    return openings.moments(*where, liquidation_kernel(learned(), side, weights, own), at)


def bars(low, high, volume, *, buy=None, since=START, span=MINUTE):
    n = len(low)
    low, high, volume = (np.array(x, np.float64) for x in (low, high, volume))
    nan = np.full(n, np.nan)
    times = since + span * np.arange(n, dtype=np.int64)
    return Candles(
        "binance:BTCUSDT", int(times[-1] + span), int(times[-1] + span), span, times, low, high,
        low, high, volume, volume / 2 if buy is None else np.array(buy), nan, low, high, high,
    )  # fmt: skip


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_print_is_wholly_concentrated(side, sign):
    assert reported(opened(prints([500.0 * sign])), side=side).concentration == pytest.approx(1.0)


@pytest.mark.parametrize("n", [2, 10, 2000])
def test_equal_prints_share_it_out(n):
    assert reported(opened(prints([0.25] * n))).concentration == pytest.approx(1 / n)


def test_a_whale_among_many_small_is_told_by_its_share():
    """Half of the mass in one print, half in a thousand: a quarter, and a little."""
    found = reported(opened(prints([500.0] + [0.5] * 1000)))
    assert found.concentration == pytest.approx(0.25 + 0.25 / 1000)


def test_prints_of_one_stamp_and_taker_are_one_order():
    fills = (np.full(20, START), np.full(20, PRICE), np.full(20, 25.0))
    assert reported(opened(fills)).concentration == pytest.approx(1.0)


def test_prints_of_one_stamp_and_two_takers_are_two_orders():
    fills = (np.full(2, START), np.full(2, PRICE), np.array([1.0, -1.0]))
    assert reported(opened(fills), own=0.5).concentration == pytest.approx(0.5)


def test_an_order_that_walks_the_book_stays_one_opening():
    prices = PRICE * np.exp(BIN * np.arange(20))
    fills = (np.full(20, START), prices, np.full(20, 25.0))
    found = opened(fills)
    assert reported(found).concentration == pytest.approx(1.0)
    assert np.count_nonzero(found.sums) == 2


@given(seeds)
def test_a_run_and_its_prints_one_by_one_leave_the_same_bits(seed):
    chance = np.random.default_rng(seed)
    n = 60
    times = START + np.sort(chance.integers(0, 3, n)) * chance.integers(1, 40) * DAY
    prices = PRICE * np.exp(np.cumsum(chance.normal(0, 0.3, n)))
    sizes = chance.exponential(1.0, n) * chance.choice([-1.0, 1.0], n)
    whole = opened((times, prices, sizes))
    single = opened(*((times[i : i + 1], prices[i : i + 1], sizes[i : i + 1]) for i in range(n)))
    assert whole.sums.tobytes() == single.sums.tobytes()
    assert whole.number.tobytes() == single.number.tobytes()


@given(seeds)
def test_concentration_lies_between_one_over_the_number_of_prints_and_one(seed):
    chance = np.random.default_rng(seed)
    n = int(chance.integers(1, 40))
    times, prices, sizes = prints(chance.exponential(1.0, n), every=int(HOUR))
    prices = prices * np.exp(chance.normal(0, 0.02, n))
    for side in (0, 1):
        h = reported(opened((times, prices, sizes)), side=side).concentration
        assert h is not None
        assert 1 / n - 1e-12 <= h <= 1.0


def test_age_does_not_change_what_is_equally_old():
    found = opened(prints([1.0] * 4))
    early, late = (reported(found, at=START + age) for age in (0, 10 * DAY))
    assert late.concentration == pytest.approx(early.concentration)
    assert late.size == pytest.approx(early.size * math.exp(-10 * DAY / LIFE))


def test_an_old_whale_counts_for_less_than_a_new_one():
    days = 20
    old = opened(prints([100.0]), prints([1.0] * 100, since=START + days * DAY))
    fresh = opened(prints([1.0] * 100), prints([100.0], since=START + days * DAY))
    assert reported(old).concentration == pytest.approx(0.01, rel=0.01)
    assert reported(fresh).concentration == pytest.approx(1.0, rel=0.01)


def test_years_change_nothing_of_how_large_prints_count():
    """Factors that grow are taken back before numbers run out."""
    found = opened(*(prints([1.0] * 2, since=START + n * 30 * DAY) for n in range(40)))
    at = START + 39 * 30 * DAY
    assert reported(found, at=at).concentration == pytest.approx(0.5, rel=1e-5)
    assert reported(found, at=at).size == pytest.approx(GROUP * 2 * 0.7, rel=1e-5)
    assert found.sums.max() < 1e13


def test_the_price_may_go_anywhere():
    """The grid follows; what is left behind by more than its height is forgotten."""
    for factor in (2.5, 1 / 2.5, 1e3, 1e-3):
        price = PRICE * factor
        found = opened(prints([100.0]), prints([1.0] * 4, price=price, since=START + SECOND))
        here = math.floor(math.log(price) / BIN)
        where = (here - 700, here)
        assert reported(found, where=where).concentration == pytest.approx(0.25)
        assert (found.sums.sum() > 100) == (factor in {2.5, 1 / 2.5})


@pytest.mark.parametrize("basis", [learned(), four_tiers("four-static", 0.0)], ids=lambda b: b.name)
@pytest.mark.parametrize("side", [0, 1])
def test_reach_is_where_the_exposure_table_lays_openings(basis, side):
    """Sixty-four deposits of one bin fill every class evenly."""
    table = Exposure(PRICE, Spec(basis=basis.name, theta=1.0))
    table.flush(START)
    for n in range(64):
        table.add_trades(np.array([PRICE]), np.array([1.0]))
        table.flush(START + n + 1)
    weights = np.zeros((2, CLASSES))
    weights[side] = np.linspace(0.1, 1.0, CLASSES)
    laid = table.render(np.stack((weights, weights), axis=1))[side]
    reach = liquidation_kernel(basis, side, weights[side], 0.7)
    away = np.arange(HERE, HERE + 1) - table.base + reach.first
    first = int(away[0])
    n = len(reach.sums) - 1
    own = reach.takers[0]
    assert laid[first : first + n] == pytest.approx(np.diff(reach.sums) * 64 * own, rel=1e-3)
    assert laid.sum() == pytest.approx(reach.sums[-1] * 64 * own, rel=1e-3)


def test_only_what_would_die_in_the_stretch_counts():
    """A whale's longs die below its entry; other entries do not reach there."""
    far = PRICE * 1.5
    found = opened(prints([500.0], price=far), prints([0.25] * 2000, since=START + SECOND))
    below_whale = (HERE + math.floor(math.log(1.5) / BIN) - 300,) * 2
    near = reported(found, where=(HERE - 300, HERE))
    high = reported(found, where=(below_whale[0], below_whale[1] + 200))
    assert near.concentration == pytest.approx(1 / 2000)
    assert high.concentration == pytest.approx(1.0)


def test_classes_without_weight_reach_nothing():
    found = reported(opened(prints([1.0])), weights=np.zeros(CLASSES))
    assert found == HHISums(0.0, 0.0, 0.0)
    assert found.concentration is None


def test_classes_of_the_time_group_know_no_prints():
    weights = np.ones(CLASSES)
    weights[VOLUME * GROUP : (VOLUME + 1) * GROUP] = 0.0
    assert weights[TIME * GROUP :].all()
    assert reported(opened(prints([1.0])), weights=weights) == HHISums(0.0, 0.0, 0.0)


def test_where_candles_told_most_of_it_nothing_is_said():
    found = EntryConcentration()
    found.add_candles(bars([PRICE], [PRICE], [10.0]))
    assert reported(found).concentration is None
    found.add_trades(*prints([9.0], since=START + MINUTE))
    assert reported(found, own=0.5).concentration is None
    found.add_trades(*prints([2.0], since=START + MINUTE + SECOND))
    assert reported(found, own=0.5).concentration == pytest.approx((81 + 4) / 121)


def test_candles_lie_where_the_exposure_table_lays_them():
    table, found = Exposure(PRICE), EntryConcentration()
    low, high = [PRICE, PRICE * 0.99, PRICE], [PRICE, PRICE * 1.01, PRICE * 1.0006]
    spread = bars(low, high, [8.0, 4.0, 0.0], buy=[2.0, 3.0, 0.0])
    table.add_candles(spread)
    found.add_candles(spread)
    away = int(found.number[0]) - table.base
    laid = np.flatnonzero(found.sums[:, 4]) + away
    deposits = table.pending.sum(axis=1) + table.volume.sum(axis=1)
    assert set(laid) == set(np.flatnonzero(deposits))
    assert found.sums[:, 4].sum() == pytest.approx(5.0, rel=1e-3)
    assert found.sums[:, 5].sum() == pytest.approx(7.0, rel=1e-3)


def test_a_candle_ends_whatever_order_was_open():
    found = opened(prints([1.0]))
    found.add_candles(bars([PRICE * 1.2], [PRICE * 1.2], [1e-9]))
    found.add_trades(*prints([1.0]))
    assert reported(found).concentration == pytest.approx(0.5)


def test_nothing_is_known_before_the_first_print():
    assert reported(EntryConcentration()) == HHISums()
    assert reported(EntryConcentration()).concentration is None


def test_markets_add_up_and_no_opening_is_in_two():
    one = reported(opened(prints([1.0])))
    assert one.with_(one).concentration == pytest.approx(0.5)


def test_the_grid_is_as_wide_as_the_exposure_table():
    assert EntryConcentration().sums.shape == (BINS, 6)
