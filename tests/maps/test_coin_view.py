"""What the maps see of a coin."""

import math

import numpy as np
import pytest

from powderkeg.grid import BIN, bin_of
from powderkeg.maps.heatmap.coin_view import TIER_NAMES, MapFilter, price_profile


def test_the_aggregate_is_the_sum_of_its_venues(stage):
    whole = price_profile(stage, MapFilter())
    total = np.zeros_like(whole.dollars)
    for known in stage.estimated():
        part = price_profile(stage, MapFilter(), known.venue)
        start = part.base - whole.base
        total[:, :, start : start + part.dollars.shape[2]] += part.dollars
    assert total == pytest.approx(whole.dollars, rel=1e-9)


def test_a_chosen_venue_alone_is_that_venue(stage):
    assert np.array_equal(
        price_profile(stage, MapFilter(("bybit",))).dollars,
        price_profile(stage, MapFilter(), "bybit").dollars,
    )


def test_tiers_and_sides_partition_the_map(stage):
    whole = price_profile(stage, MapFilter()).dollars
    tiers = sum(price_profile(stage, MapFilter(tiers=(tier,))).dollars for tier in TIER_NAMES)
    sides = sum(price_profile(stage, MapFilter(side=side)).dollars for side in ("long", "short"))
    assert tiers == pytest.approx(whole, rel=1e-12)
    assert sides == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(("side", "kept"), [("long", [1, 0]), ("short", [0, 1]), ("both", [1, 1])])
def test_a_chosen_side_is_kept_and_the_other_is_not(stage, side, kept):
    assert price_profile(stage, MapFilter(side=side)).by_side().any(axis=1).tolist() == kept


def test_longs_stand_below_the_mark_and_shorts_above(stage):
    part = price_profile(stage, MapFilter(), "binance")
    (known,) = (m for m in stage.estimated() if m.venue == "binance")
    prices, mark = part.prices(), known.estimate.mark
    long, short = part.by_side()
    assert not long[prices > mark * (1 + BIN)].any()
    assert not short[prices < mark * (1 - BIN)].any()


def test_no_side_of_a_venue_exceeds_its_open_interest(stage):
    for known in stage.estimated():
        coins = price_profile(stage, MapFilter(), known.venue)
        sides = (coins.by_side() / coins.prices()).sum(axis=1)
        assert (sides <= known.estimate.oi * (1 + 1e-4)).all()


def test_a_map_of_no_venue_is_empty(stage, empty):
    assert price_profile(empty, MapFilter()).dollars.shape == (5, 2, 0)
    assert price_profile(stage, MapFilter(("okx",))).by_side().shape == (2, 0)
    assert price_profile(stage, MapFilter(), "okx").prices().shape == (0,)


def test_twice_the_coins_are_twice_the_dollars(stand, empty):
    """True of the table at fixed weights; halving open interest alone does not halve a map."""
    empty.markets = [stand({-30: 5.0, 20: 1.0})]
    one = price_profile(empty, MapFilter()).dollars
    assert one.sum() > 0
    empty.markets = [stand({-30: 10.0, 20: 2.0})]
    assert price_profile(empty, MapFilter()).dollars == pytest.approx(2 * one)


def test_five_hundred_coins_at_one_are_two_thousand_at_a_quarter(stand, empty):
    sums: list[float] = []
    for coins, price in ((500.0, 100_000.0), (2000.0, 100_000.0 / 4)):
        empty.markets = [stand({-30: coins}, price=price)]
        sums.append(float(price_profile(empty, MapFilter()).dollars.sum()))
    assert sums[0] == pytest.approx(500 * 100_000 * math.exp(-30 * BIN), rel=2 * BIN)
    assert sums[0] == pytest.approx(sums[1], rel=2 * BIN)


def test_a_class_is_shown_in_the_tier_of_its_basis(stand, empty):
    known = stand({})
    exposure = known.estimate.exposure
    empty.markets = [known]
    for k, tier in enumerate(exposure.basis.tiers.tolist()):
        exposure.cells[:] = 0
        exposure.cells[0, 2000, k] = 1.0
        assert np.flatnonzero(
            price_profile(empty, MapFilter()).dollars.any(axis=(1, 2))
        ).tolist() == [tier]


@pytest.mark.parametrize("price", [0.01, 1.0, 99_999.0, 100_000.0])
def test_a_price_lies_in_its_bin(price):
    b = bin_of(price)
    assert math.exp(b * BIN) * (1 - 1e-12) <= price < math.exp((b + 1) * BIN) * (1 + 1e-12)
