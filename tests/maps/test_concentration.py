"""Of whom a cluster is: one large holder or many small ones, and what that may mean."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.desk import Desk
from powderkeg.events import MINUTE, SECOND, Candles, Mark, OpenInterest, Trades
from powderkeg.history.snapshots import CODEC, digest
from powderkeg.maps.heatmap.coin_view import MapFilter, price_profile
from powderkeg.maps.heatmap.scale import encode
from powderkeg.maps.views.clusters import MANY, ONE, clusters, expected_fill, with_concentration

START = 1_767_225_600 * SECOND
PRICE = 100_000.0
ALL = MapFilter()


def opened(sizes, *, market="binance:BTCUSDT", price=PRICE, desk=None, since=START):
    """Return a desk on which these prints opened at one price."""
    made = desk or Desk("BTC")
    made.apply(Mark(market, since, since, price))
    made.apply(OpenInterest(market, since, since, 100_000.0))
    n = len(sizes)
    times = since + 1000 * np.arange(1, n + 1, dtype=np.int64)
    prices = np.full(n, float(price))
    made.apply(
        Trades(market, int(times[-1]), int(times[-1]), times, prices, np.array(sizes, np.float64))
    )
    at = since + MINUTE
    made.apply(OpenInterest(market, at, at, 100_000.0 + float(np.sum(sizes))))
    return made


def found(desk, map_filter=ALL):
    return with_concentration(desk, map_filter, clusters(price_profile(desk, map_filter), PRICE))


def test_one_print_of_500_and_2000_of_a_quarter_have_one_colour_and_two_concentrations():
    whale, crowd = opened([500.0]), opened([0.25] * 2000)
    bytes_of = []
    for made in (whale, crowd):
        dollars = price_profile(made, ALL).by_side().ravel()
        cells = np.empty(len(dollars), np.uint8)
        encode(dollars, cells)
        assert cells.any()
        bytes_of.append(cells.tobytes())
    assert bytes_of[0] == bytes_of[1]
    for one, many in zip(found(whale), found(crowd), strict=True):
        assert (one.floor, one.top) == (many.floor, many.top)
        assert one.concentration == pytest.approx(1.0)
        assert many.concentration == pytest.approx(1 / 2000, rel=1e-6)
        assert one.expected_fill[0] < many.expected_fill[0]
        assert one.expected_fill == pytest.approx(ONE)


def test_both_sides_have_clusters_to_tell_of():
    assert {cluster.side for cluster in found(opened([500.0]))} == {"long", "short"}


def test_a_whale_at_one_venue_of_two_is_told_by_its_share():
    both = opened([0.25] * 2000, market="bybit:BTCUSDT", desk=opened([500.0]))
    for cluster in found(both):
        assert cluster.concentration == pytest.approx(0.25, abs=0.15)
    for cluster in found(both, MapFilter(venues=("bybit",))):
        assert cluster.concentration == pytest.approx(1 / 2000, rel=1e-6)


def test_where_only_candles_are_known_nothing_is_said_and_the_range_is_widest():
    made = Desk("BTC")
    flat, nan = np.full(60, PRICE), np.full(60, np.nan)
    times = START + MINUTE * np.arange(60, dtype=np.int64)
    end = START + 60 * MINUTE
    made.apply(
        Candles(
            "binance:BTCUSDT", end, end, MINUTE, times, flat, flat * 1.001, flat, flat,
            np.full(60, 10.0), np.full(60, 5.0), nan, flat, flat * 1.001, flat,
        )
    )  # fmt: skip
    reported = found(made)
    assert reported
    assert all(cluster.concentration is None for cluster in reported)
    assert all(cluster.expected_fill == pytest.approx(ONE) for cluster in reported)


def test_markets_without_openings_say_nothing(stage):
    reported = with_concentration(stage, ALL, clusters(price_profile(stage, ALL), stage.price))
    assert reported
    assert all(cluster.concentration is None for cluster in reported)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_more_concentrated_the_less_is_sure_to_fire(values):
    ranges = [expected_fill(h) for h in sorted(values)]
    for (low, high), (next_low, next_high) in pairwise(ranges):
        assert next_low <= low <= high <= 1.0
        assert next_low + next_high <= low + high
    for low, high in ranges:
        assert 0 <= low <= high <= 1


def test_many_small_fire_nearly_all_and_one_may_have_left():
    assert expected_fill(0.0) == pytest.approx(MANY)
    assert expected_fill(1.0) == pytest.approx(ONE)
    assert expected_fill(None) == expected_fill(1.0)


def test_a_desk_resumed_from_its_bytes_tells_the_same():
    made = opened([500.0, 1.0, 2.0])
    again = CODEC.unpack(CODEC.pack(made))
    for each in (made, again):
        opened([3.0, 1.5], desk=each, since=START + 5 * MINUTE)
    assert digest(made) == digest(again)
    reported = [[(c.peak, c.concentration) for c in found(each)] for each in (made, again)]
    assert reported[0] == reported[1] != []
