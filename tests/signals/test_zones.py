"""Clusters that are followed from one map to the next."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import HOUR, MINUTE
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Stretch, Zone, Zones, mirrored

RULES = DEFAULT.zones
LONGS = Stretch("long", 99.0, 99.5, 1e6, (25e4,) * 4)


def look(zone: Zone, price: float, now: int = MINUTE) -> float:
    return zone.look(now, price, (price, price), RULES)


def test_a_cluster_whose_extent_overlaps_by_half_is_the_same():
    zones = Zones()
    zones.refresh([LONGS], MINUTE, 102.0)
    before = zones.standing[0].id
    zones.refresh([Stretch("long", 99.2, 99.7, 2e6, (2e6,))], HOUR, 102.0)
    assert [zone.id for zone in zones.standing] == [before]
    assert zones.standing[0].notional == 2e6
    zones.refresh([Stretch("long", 98.0, 98.5, 2e6, (2e6,))], 2 * HOUR, 102.0)
    assert [zone.id for zone in zones.standing] != [before]


def test_a_cluster_that_price_is_near_to_stays_as_it_stood():
    zones = Zones()
    zones.remember(range(100))
    zones.refresh([LONGS], MINUTE, 100.0)
    look(zones.standing[0], 100.0)
    zones.refresh([Stretch("long", 99.0, 99.4, 1.0, (1.0,))], HOUR, 100.0)
    assert (zones.standing[0].top, zones.standing[0].notional) == (99.5, 1e6)


def test_what_price_passed_has_fired_and_stays_so():
    zone = Zone(LONGS, 0, 99.0)
    look(zone, 100.0)
    assert zone.swept == 0
    look(zone, 99.375)
    assert zone.swept == pytest.approx(0.25)
    look(zone, 100.0)
    assert zone.swept == pytest.approx(0.25)
    look(zone, 98.9)
    assert zone.swept == 1


def test_dollars_fire_where_they_lie():
    zone = Zone(Stretch("short", 100.0, 102.0, 100.0, (75.0, 25.0)), 0, 99.0)
    look(zone, 99.5)
    look(zone, 101.0)
    assert zone.swept == pytest.approx(0.75)


def test_a_cluster_far_from_price_follows_the_map_again_on_either_side():
    for away in (103.0, 95.0):
        zone = Zone(LONGS, 0, 99.0)
        look(zone, 100.0)
        assert zone.frozen
        look(zone, away, 2 * MINUTE)
        assert not zone.frozen


def test_a_rank_needs_enough_clusters():
    zones = Zones()
    assert math.isnan(zones.rank(1.0))
    zones.remember(float(n) for n in range(1, 101))
    assert zones.rank(1000.0) == 100
    assert zones.rank(50.0) == pytest.approx(49.5)


def test_clusters_are_ranked_among_those_that_were_near_price():
    zones = Zones()
    near = [Stretch("long", 98.0, 98.5, float(n), (1.0,)) for n in range(1, 51)]
    far = [Stretch("long", 90.0, 90.5, 1e6, (1.0,))] * 50
    zones.refresh([*near, *far], HOUR, 100.0)
    assert zones.rank(50.5) == 100
    assert {zone.floor for zone in zones.standing} == {98.0}  # the far ones are not followed


def test_a_small_cluster_follows_the_map_however_near_price_is():
    zones = Zones()
    zones.refresh([LONGS], MINUTE, 100.0)
    look(zones.standing[0], 99.6)
    assert not zones.standing[0].frozen
    zones.refresh([], HOUR, 99.6)
    assert zones.standing == []


@given(
    st.floats(0.5, 3.0), st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8),
    st.sampled_from(["long", "short"]),
)  # fmt: skip
def test_a_mirrored_level_is_as_far_as_wide_and_as_heavy(away, dollars, side):
    price = 100.0
    near = price * (1 - away / 100) if side == "long" else price / (1 - away / 100)
    floor, top = (near * 0.99, near) if side == "long" else (near, near / 0.99)
    zone = Zone(Stretch(side, floor, top, sum(dollars), tuple(dollars)), 0, 95.0)
    level = Zone(mirrored(zone, price), 0, 95.0)
    assert level.side != side
    assert level.distance(price) == pytest.approx(zone.distance(price), rel=1e-6)
    assert level.top / level.floor == pytest.approx(zone.top / zone.floor)
    assert np.diff(level.running) == pytest.approx(np.diff(zone.running)[::-1])


def test_past_maps_say_what_is_large_before_there_was_a_live_one():
    zones = Zones()
    assert math.isnan(zones.rank(1e6))
    zones.recall(zones.near([LONGS, Stretch("short", 150.0, 151.0, 9e9, (1.0,))] * 50, 100.0))
    assert zones.rank(2e6) == 100.0, "a cluster far from price does not count"
    assert zones.rank(1e6) == 50.0
    zones.recall([])
    assert zones.rank(1e6) == 50.0, "where there is no past, what is known stays"


def test_a_cluster_that_is_held_stays_however_far_price_goes():
    zone = Zone(LONGS, 0, 99.0)
    look(zone, 99.6)
    zone.held = True
    look(zone, 90.0)
    assert zone.frozen
    zone.held = False
    look(zone, 90.0)
    assert not zone.frozen
