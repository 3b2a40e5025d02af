"""For how long a price has held what it holds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powderkeg.events import DAY, MINUTE, SECOND
from powderkeg.grid import BIN, bin_of
from powderkeg.maps.heatmap import ages
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.heatmap.ring import FILLED, ROWS, Ring
from powderkeg.maps.heatmap.scale import DOLLARS

from .conftest import ONES, START, PictureLayout, market

PRICE = 100_000 * math.exp(-30 * BIN)


def plainly(stage, map_filter, price):
    """Return the age by looking at every column, one after the other."""
    age = math.nan
    for step in sorted(stage.prices):
        rings = [k.rings[step] for k in stage.markets if map_filter.takes(k.venue)]
        rings = [ring for ring in rings if ring.last >= 0]
        if not rings:
            continue
        last, size = max(r.last for r in rings), min(r.size for r in rings)
        held = [held_in(rings, last - n, price, map_filter) for n in range(size)]
        if not (held[0] or 0) > 0:
            continue
        n = next((n for n in range(size) if (held[n] or 0) < held[0] / 2), size)
        age = n * step / SECOND
        if n < size and held[n] is not None:
            break
    return age


def held_in(rings, number, price, map_filter):
    """Return the dollars at a price in one column, or none where no ring knows."""
    total = None
    for ring in rings:
        slot, row = number % ring.size, bin_of(price) // ring.per_row
        row -= int(ring.firsts[slot])
        known = ring.last - ring.size < number <= ring.last and ring.states[slot] == FILLED
        if not known or not 0 <= row < ROWS:
            continue
        dollars = DOLLARS[ring.column(number)[:, row]]
        if row == ring.fronts[slot]:
            dollars = DOLLARS[ring.edges[slot]][map_filter.side_mask()].sum(axis=0)
        total = (total or 0.0) + dollars[map_filter.tier_mask()].sum()
    return total


def scene(changes, sizes=(90, 90), gaps=()):
    """Return two venues drawn for 200 minutes whose level at PRICE follows `changes`.

    Args:
        changes: Coins of both venues from each minute on, as (minute, first, second).
        sizes: Columns of the venues' rings.
        gaps: Minutes in which neither is drawn.
    """
    markets = [market("binance", 100_000.0), market("bybit", 100_000.0)]
    steps = {MINUTE: 1, 5 * MINUTE: 1}
    markets = [
        k._replace(rings={s: Ring(s, size, rows) for s, rows in steps.items()})
        for k, size in zip(markets, sizes, strict=True)
    ]
    reported = {n: coins for n, *coins in changes}
    for n in range(200):
        for i, known in enumerate(markets):
            exposure = known.estimate.exposure
            if n in reported:
                exposure.cells[0, bin_of(PRICE) - exposure.base, 3] = reported[n][i]
            if n not in gaps:
                for ring in known.rings.values():
                    ring.write(START + n * MINUTE, exposure, ONES)
    return PictureLayout(markets, START + 200 * MINUTE, dict.fromkeys(steps))


def test_a_level_is_as_old_as_the_columns_since_it_last_held_less_than_half():
    stage = scene([(0, 1.0, 1.0), (150, 10.0, 10.0)])
    assert ages.age_of(stage, MapFilter(), PRICE) == 50 * 60


def test_a_level_older_than_the_finest_ring_is_looked_up_in_the_next():
    stage = scene([(0, 1.0, 1.0), (40, 10.0, 10.0)])
    assert ages.age_of(stage, MapFilter(), PRICE) == 160 * 60


def test_a_level_that_holds_nothing_has_no_age():
    assert math.isnan(ages.age_of(scene([]), MapFilter(), PRICE))


def test_without_columns_there_is_no_age(empty):
    assert math.isnan(ages.age_of(empty, MapFilter(), PRICE))


def test_a_venue_that_is_not_chosen_makes_no_level_older():
    stage = scene([(0, 10.0, 1.0), (150, 10.0, 10.0)])
    assert ages.age_of(stage, MapFilter(venues=("bybit",)), PRICE) == 50 * 60
    assert ages.age_of(stage, MapFilter(venues=("binance",)), PRICE) > DAY / SECOND / 10


changes = st.lists(
    st.tuples(
        st.integers(0, 199), st.sampled_from([0.0, 1.0, 3.0, 10.0]), st.sampled_from([0.0, 4.0])
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(
    changes, st.tuples(st.integers(20, 150), st.integers(20, 150)),
    st.sets(st.integers(100, 199), max_size=4), st.integers(-2, 2),
    st.sampled_from([{}, {"venues": ("bybit",)}, {"side": "short"}, {"tiers": (5, 10)}]),
)  # fmt: skip
def test_an_age_is_what_a_look_at_every_column_tells(reported, sizes, gaps, away, chosen):
    stage, map_filter = scene(reported, sizes, gaps), MapFilter(**chosen)
    price = PRICE * math.exp(away * BIN)
    assert ages.age_of(stage, map_filter, price) == pytest.approx(
        plainly(stage, map_filter, price), nan_ok=True
    )


def test_the_ages_of_a_played_market_are_what_every_column_tells(stage):
    for away in range(-80, 80, 7):
        price = stage.price * math.exp(away * BIN)
        assert ages.age_of(stage, MapFilter(), price) == pytest.approx(
            plainly(stage, MapFilter(), price), nan_ok=True
        )
