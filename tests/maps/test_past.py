"""The map as it stood."""

import math

import numpy as np
import pytest

from powderkeg.events import MINUTE, SECOND
from powderkeg.grid import BIN
from powderkeg.maps.heatmap.ages import age_of
from powderkeg.maps.heatmap.coin_view import MapFilter, price_profile
from powderkeg.maps.heatmap.past import price_at, price_profile_at
from powderkeg.maps.heatmap.ring import Ring

from .conftest import ONES

START = 1_767_225_600 * SECOND


def near(part, price, reach=0.1):
    return part.by_side()[:, np.abs(part.prices() / price - 1) < reach].sum(axis=1)


def test_now_is_exact(stage):
    assert np.array_equal(
        price_profile_at(stage, MapFilter(), 0).dollars, price_profile(stage, MapFilter()).dollars
    )
    assert price_at(stage, 0) == stage.markets[0].estimate.mark


def test_a_moment_ago_the_map_stood_as_it_stands_but_for_the_bytes(stage):
    """Cells below the floor of the money scale are gone; the others are within 2.3 %."""
    exact = price_profile(stage, MapFilter(), "binance")
    stored = price_profile_at(stage, MapFilter(), stage.now, "binance")
    start = stored.base - exact.base
    cut = exact.dollars[:, :, start : start + stored.dollars.shape[2]]
    big = cut > 1.05e4
    assert big.any()
    assert stored.dollars[big] == pytest.approx(cut[big], rel=0.024)
    assert (stored.dollars[cut < 1e4 * 0.5] == 0).all()


def test_tiers_sides_and_venues_of_the_past_partition_it(stage):
    at = stage.now - 30 * MINUTE
    whole = price_profile_at(stage, MapFilter(), at).dollars.sum()
    assert whole > 0
    for parts in (
        [MapFilter(tiers=(tier,)) for tier in (100, 50, 25, 10, 5)],
        [MapFilter(side=side) for side in ("long", "short")],
        [MapFilter(venues=(venue,)) for venue in ("binance", "bybit")],
    ):
        assert sum(
            price_profile_at(stage, part, at).dollars.sum() for part in parts
        ) == pytest.approx(whole)
    each = [
        price_profile_at(stage, MapFilter(), at, venue).dollars.sum()
        for venue in ("binance", "bybit")
    ]
    assert sum(each) == pytest.approx(whole)


def test_the_past_is_told_by_the_finest_ring_that_holds_it(stage):
    ring = stage.markets[0].rings[MINUTE]
    at = stage.now - 4 * MINUTE
    slot = (at // MINUTE - 1) % ring.size
    kept, ring.states[slot] = ring.states[slot], 0
    coarse = price_profile_at(stage, MapFilter(), at, "binance")
    ring.states[slot] = kept
    fine = price_profile_at(stage, MapFilter(), at, "binance")
    assert coarse.dollars.sum() > 0
    assert not np.array_equal(coarse.dollars, fine.dollars)


@pytest.mark.parametrize("step", [MINUTE, 5 * MINUTE, 30 * MINUTE])
def test_rows_of_two_bins_hold_no_more_money_than_rows_of_one(empty, stand, step):
    known = stand({-30: 5.0, 40: 7.0})
    exposure = known.estimate.exposure
    ring = known.rings[step]
    ring.write(START, exposure, ONES)
    empty.markets = [known._replace(rings={step: ring})]
    sides = price_profile_at(empty, MapFilter(), START + step).by_side().sum(axis=1)
    dollars = [c * 1e5 * math.exp(away * BIN) for c, away in ((5.0, -30), (7.0, 40))]
    assert sides == pytest.approx(np.array(dollars), rel=0.024)


@pytest.mark.parametrize("away", [-(10**15), 10**15])
def test_where_nothing_is_stored_nothing_is_shown(stage, away):
    at = stage.now + away
    assert price_profile_at(stage, MapFilter(), at).dollars.shape == (5, 2, 0)
    assert math.isnan(price_at(stage, at))


def test_the_price_of_the_past_is_the_close_of_its_column(stage):
    at = stage.now - 20 * MINUTE
    ring = stage.prices[MINUTE]
    assert price_at(stage, at) == ring.window(at // MINUTE - 1, 1)[0, 3]
    slot = (at // MINUTE - 1) % ring.size
    kept = ring.values[slot].copy()
    ring.values[slot] = math.nan
    before = stage.prices[5 * MINUTE].window(at // (5 * MINUTE) - 1, 1)[0, 3]
    assert price_at(stage, at) == before
    ring.values[slot] = kept


def test_without_an_estimate_the_price_is_the_last_that_was_traded(empty):
    assert price_at(empty, 0) == empty.price


LEVEL = 100_000.0 * math.exp(-30 * BIN)
"""A price thirty bins below the mark of `grown`."""


def grown(empty, stand, coins):
    """Return the coin whose level at LEVEL held `coins[i]` in minute i; None is a gap."""
    known = stand({})
    exposure = known.estimate.exposure
    place = math.floor(math.log(LEVEL) / BIN) - exposure.base
    for n, held in enumerate(coins):
        at = START + n * MINUTE
        for ring in known.rings.values():
            if held is None:
                ring.mark_gap(at, at)
                continue
            exposure.cells[0, place, 3] = held
            ring.write(at, exposure, ONES)
    empty.markets = [known]
    return empty


def minutes(seconds):
    return seconds * SECOND / MINUTE


def test_a_level_is_as_old_as_the_time_since_it_held_half_of_what_it_holds(empty, stand):
    coin = grown(empty, stand, [4.0] * 20 + [5.5] * 7 + [10.0] * 4)
    assert minutes(age_of(coin, MapFilter(), LEVEL)) == 11
    assert minutes(age_of(grown(empty, stand, [4.0] * 20 + [10.0] * 4), MapFilter(), LEVEL)) == 4


def test_a_level_that_rose_from_nothing_is_as_young_as_its_finest_column_says(empty, stand):
    coin = grown(empty, stand, [0.0] * 57 + [10.0] * 3)
    assert minutes(age_of(coin, MapFilter(), LEVEL)) == 3


def test_a_level_that_always_stood_is_as_old_as_what_is_stored(empty, stand):
    """Nothing is known before the first column, so the coarsest column's start is the bound."""
    age = minutes(age_of(grown(empty, stand, [10.0] * 60), MapFilter(), LEVEL))
    assert age == 60


def test_a_gap_makes_no_level_young_where_coarser_columns_saw_it_stand(empty, stand):
    coin = grown(empty, stand, [10.0] * 62 + [None] * 4 + [10.0] * 4)
    assert minutes(age_of(coin, MapFilter(), LEVEL)) >= 62


def test_a_level_older_than_the_fine_columns_is_dated_by_coarser_ones(empty, stand):
    known = stand({})
    rings = dict(known.rings)
    rings[MINUTE] = Ring(MINUTE, 8)
    empty.markets = [known._replace(rings=rings)]
    exposure = known.estimate.exposure
    place = math.floor(math.log(LEVEL) / BIN) - exposure.base
    for n in range(60):
        exposure.cells[0, place, 3] = 1.0 if n < 30 else 10.0
        for ring in rings.values():
            ring.write(START + n * MINUTE, exposure, ONES)
    assert minutes(age_of(empty, MapFilter(), LEVEL)) == 30


@pytest.mark.parametrize("price", [LEVEL, 1.0])
def test_what_holds_nothing_that_could_be_stored_has_no_age(empty, stand, price):
    """A tenth of a coin is less than the least amount of the money scale."""
    coin = grown(empty, stand, [0.01] * 20)
    assert math.isnan(age_of(coin, MapFilter(), price))


def test_a_venue_that_is_not_chosen_or_never_drawn_gives_no_age(empty, stand):
    coin = grown(empty, stand, [10.0] * 5)
    assert math.isnan(age_of(coin, MapFilter(("okx",)), LEVEL))
    coin.markets = [stand({-30: 5.0})]
    assert math.isnan(age_of(coin, MapFilter(), LEVEL))


def test_the_age_of_a_tier_is_its_own(empty, stand):
    coin = grown(empty, stand, [10.0] * 5)
    tier = (100, 50, 25, 10, 5)[int(coin.markets[0].estimate.exposure.basis.tiers[3])]
    others = tuple(t for t in (100, 50, 25, 10, 5) if t != tier)
    assert minutes(age_of(coin, MapFilter(tiers=(tier,)), LEVEL)) >= 5
    assert math.isnan(age_of(coin, MapFilter(tiers=others), LEVEL))


def test_a_level_in_the_row_of_the_mark_has_its_age_on_its_own_side(empty, stand):
    known = stand({0: 7.0})
    exposure = known.estimate.exposure
    for n in range(60):
        exposure.cells[1] *= 10.0 if n == 40 else 1.0
        for ring in known.rings.values():
            ring.write(START + n * MINUTE, exposure, ONES)
    empty.markets = [known]
    assert minutes(age_of(empty, MapFilter(), 100_000.0)) == 20
    assert minutes(age_of(empty, MapFilter(side="short"), 100_000.0)) == 20
    assert math.isnan(age_of(empty, MapFilter(side="long"), 100_000.0))
