"""The views as data."""

import math

import msgspec
import numpy as np
import pytest

from powderkeg.events import MINUTE
from powderkeg.maps.heatmap.coin_view import MapFilter, price_profile
from powderkeg.maps.heatmap.scale import decode
from powderkeg.maps.views.queries import (
    SPANS,
    STEPS,
    CellQuery,
    HeatmapQuery,
    Query,
    ReachQuery,
    SpanQuery,
)
from powderkeg.maps.views.views import VIEWS, bars, cell, cumulative, heatmap, levels, venues

from .conftest import played

times = pytest.mark.parametrize("ago", [None, 45 * MINUTE])


def moment(stage, ago):
    return 0 if ago is None else stage.now - ago


@times
@pytest.mark.parametrize("reach", [0.001, 0.02, 0.1, 0.5])
def test_the_ends_of_the_running_total_are_the_bars(stage, ago, reach):
    query = ReachQuery(at=moment(stage, ago), reach=reach)
    both, line = bars(stage, query), cumulative(stage, query)
    assert line.notional[0] == pytest.approx(both.long)
    assert line.notional[-1] == pytest.approx(both.short)
    if both.ratio is not None and both.long_share is not None:
        assert both.ratio == pytest.approx(both.long / both.short)
        assert both.long_share == pytest.approx(both.ratio / (1 + both.ratio))


@times
def test_the_running_total_grows_outward_on_both_sides(stage, ago):
    line = cumulative(stage, ReachQuery(at=moment(stage, ago)))
    below = line.distance < 0
    assert (np.diff(line.distance) > 0).all()
    assert (np.diff(line.notional[below]) <= 0).all()
    assert (np.diff(line.notional[~below]) >= 0).all()
    assert len(line.distance) <= 402


@times
def test_the_levels_the_bars_and_the_venues_agree_in_total(stage, ago):
    at = moment(stage, ago)
    one = levels(stage, SpanQuery(at=at, span="12h"))
    shares = venues(stage, SpanQuery(at=at, span="12h"))
    for side in ("long", "short"):
        total = sum(getattr(tier, side) for tier in one.tiers.values())
        assert sum(getattr(venue, side) for venue in one.venues.values()) == pytest.approx(
            total, rel=1e-9
        )
        assert sum(getattr(venue, side) for venue in shares.venues) == pytest.approx(
            total, rel=1e-9
        )
    rows = one.long.sum() + one.short.sum()
    assert sum(venue.levels.sum() for venue in shares.venues) == pytest.approx(rows, rel=1e-5)
    near = bars(stage, ReachQuery(at=at, reach=0.15))
    whole = sum(tier.long for tier in one.tiers.values())
    assert near.long <= whole * (1 + 1e-9)


def test_the_rows_of_the_levels_hold_what_the_bars_count(stage):
    one = levels(stage, SpanQuery(span="12h"))
    centres = np.exp(one.p0 + (np.arange(one.rows) + 0.5) * one.dp)
    inside = np.abs(centres / stage.markets[0].estimate.mark - 1) <= 0.1
    near = bars(stage, ReachQuery(reach=0.1))
    assert one.long[inside].sum() == pytest.approx(near.long, rel=1e-4)
    assert one.short[inside].sum() == pytest.approx(near.short, rel=1e-4)


@pytest.mark.parametrize("span", SPANS)
def test_the_last_column_of_a_heatmap_is_the_level_chart_of_that_moment(stage, span):
    at = stage.now
    picture = heatmap(stage, HeatmapQuery(span=span, at=at))
    chart = levels(stage, SpanQuery(span=span, at=at))
    step = SPANS[span][0]
    assert (picture.cols, picture.rows, picture.step) == (SPANS[span][1], 800, step)
    assert picture.t0 + picture.cols * step == at // step * step
    assert (picture.p0, picture.dp, STEPS[step]) == (chart.p0, chart.dp, round(picture.dp / 5e-4))
    column = decode(picture.cells[-1])
    both = chart.long + chart.short
    seen = (column > 0) & (both > 3e4)
    assert seen.any()
    assert np.median(np.abs(column[seen] / both[seen] - 1)) < 0.05


@pytest.mark.parametrize("k", [1e-3, 10.0])
@pytest.mark.parametrize("planes", ["sum", "tiers"])
def test_a_coin_with_k_times_the_open_interest_has_the_same_cells_on_a_scale_of_k_times(k, planes):
    one, other = (played(20, times=t) for t in (1.0, k))
    query = HeatmapQuery(span="12h", planes=planes)
    ours, theirs = heatmap(one, query), heatmap(other, query)
    assert (theirs.vmin, theirs.vmax) == pytest.approx((ours.vmin * k, ours.vmax * k))
    assert np.count_nonzero(ours.cells) > 1000
    apart = np.abs(ours.cells.astype(int) - theirs.cells)
    both = (ours.cells > 0) & (theirs.cells > 0)
    assert apart[both].max() <= 1
    assert ours.cells[~both].max() <= 1
    assert theirs.cells[~both].max() <= 1


def test_a_part_of_a_coin_is_told_on_the_scale_of_the_whole():
    stage = played(5)
    big, small = stage.markets
    for ring in small.rings.values():
        ring._fit(2e6)
    for venue in (big.venue, small.venue):
        assert heatmap(stage, HeatmapQuery(span="12h", venues=(venue,))).vmin == 1e4
    stage.markets = [small]
    assert heatmap(stage, HeatmapQuery(span="12h")).vmin == pytest.approx(10.0)


def test_planes_by_tier_are_within_two_steps_of_the_maps_of_each_tier(stage):
    planes = heatmap(stage, HeatmapQuery(span="12h", planes="tiers", tiers=(100, 25)))
    assert planes.cells.shape == (5, 720, 800)
    for i, tier in enumerate((100, 50, 25, 10, 5)):
        alone = heatmap(stage, HeatmapQuery(span="12h", tiers=(tier,))).cells
        if tier in {100, 25}:
            assert alone.any()
            assert np.abs(planes.cells[i].astype(int) - alone).max() <= 1
        else:
            assert not planes.cells[i].any()


def test_a_heatmap_of_two_venues_is_no_less_than_of_one(stage):
    one = heatmap(stage, HeatmapQuery(span="12h", venues=("binance",)))
    two = heatmap(stage, HeatmapQuery(span="12h"))
    assert one.p0 == two.p0
    assert (two.cells >= one.cells).all()
    assert two.cells.sum() > one.cells.sum()
    assert not heatmap(stage, HeatmapQuery(span="12h", venues=("okx",))).cells.any()


def test_a_heatmap_shows_its_candles_in_the_same_columns(stage):
    picture = heatmap(stage, HeatmapQuery(span="12h"))
    drawn = ~np.isnan(picture.ohlc[:, 0])
    assert drawn.sum() == 180
    assert np.array_equal(drawn, picture.cells.any(axis=1))


def test_a_gap_is_told_where_every_chosen_market_has_one(stage):
    rings = [known.rings[MINUTE] for known in stage.estimated()]
    until = stage.now // MINUTE
    kept = [ring.states.copy() for ring in rings]
    for ring, extra in zip(rings, (0, 2), strict=True):
        for column in range(until - 40, until - 30 + extra):
            ring.states[column % ring.size] = 2
    last = (stage.now - 1) // MINUTE
    shift = 719 - (last - until)
    both = heatmap(stage, HeatmapQuery(span="12h")).gaps
    one = heatmap(stage, HeatmapQuery(span="12h", venues=("bybit",))).gaps
    for ring, states in zip(rings, kept, strict=True):
        ring.states[:] = states
    assert both == [(shift - 40, shift - 30)]
    assert one == [(shift - 40, shift - 28)]
    assert heatmap(stage, HeatmapQuery(span="12h", venues=("okx",))).gaps == []


def test_a_cell_tells_what_stands_at_a_price_by_venue_and_tier(stage):
    price = stage.price * 0.98
    found = cell(stage, CellQuery(price=price))
    whole = price_profile(stage, MapFilter())
    here = math.floor(math.log(price) / 5e-4) - whole.base
    total = sum(sum(tiers.values()) for tiers in found.dollars.values())
    assert total == pytest.approx(whole.dollars[:, :, here].sum())
    assert found.near >= total
    assert found.distance == pytest.approx(price / stage.markets[0].estimate.mark - 1)
    assert found.exact
    assert set(found.dollars) == {"binance", "bybit"}


def test_a_cell_beyond_the_grid_or_of_another_venue_is_empty(stage):
    far = cell(stage, CellQuery(price=stage.price * 1e3, venues=("bybit",)))
    assert list(far.dollars) == ["bybit"]
    assert not any(far.dollars["bybit"].values())
    assert not cell(stage, CellQuery(price=stage.price, at=stage.now - 1)).exact


def test_shares_of_open_interest_add_up_to_one_over_those_who_tell(stage):
    shares = [venue.share for venue in venues(stage, SpanQuery()).venues]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(2 / 3)


def test_a_coin_of_which_nothing_is_known_has_empty_views(empty):
    empty.price = math.nan
    for name, (query, view) in VIEWS.items():
        made = view(empty, query(price=1.0) if name == "cell" else query())
        assert isinstance(made, msgspec.Struct)
    assert bars(empty, ReachQuery()).ratio is None
    assert bars(empty, ReachQuery()).long_share is None
    assert levels(empty, SpanQuery()).clusters == []
    assert venues(empty, SpanQuery()).venues == []


def test_a_market_without_open_interest_has_no_share_of_it(stand, empty):
    empty.markets = [stand({-30: 1.0})]
    (share,) = venues(empty, SpanQuery()).venues
    assert (share.oi, share.share) == (0.0, 0.0)
    assert share.long > 0


def test_a_level_with_clusters_names_the_tier_that_holds_most(stage):
    for found in levels(stage, SpanQuery()).clusters:
        assert found.tiers[str(found.tier)] == max(found.tiers.values())


@pytest.mark.parametrize(
    "raw", [b'{"span":"2h"}', b'{"at":-1}', b'{"tiers":[7]}', b'{"side":"up"}', b'{"nope":1}']
)
def test_a_query_that_cannot_be_answered_is_refused(raw):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=SpanQuery)


@pytest.mark.parametrize("reach", [0, -0.1, 0.6])
def test_a_reach_lies_between_nothing_and_half_the_price(reach):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"reach": reach}, ReachQuery)


def test_a_query_names_the_part_of_the_map_it_wants():
    assert Query(venues=("bybit",), tiers=(100,), side="long").map_filter() == MapFilter(
        ("bybit",), (100,), "long"
    )
