"""Views of order flow on a coin whose every number is known."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from msgspec.structs import asdict, replace
from tests.maps.flow.coin import NOW, SPOT, M, N, coin, snapshot

from powderkeg.desk import Desk
from powderkeg.events import SECOND, Trade
from powderkeg.maps.flow.ladder import Fired, fired_beside, ladder_of, map_beside, row_for
from powderkeg.maps.flow.profile import profile_of
from powderkeg.maps.flow.queries import (
    FlowQuery,
    LadderQuery,
    ProfileQuery,
    SeriesQuery,
    TapeQuery,
)
from powderkeg.maps.flow.read import clusters_beside, read_of
from powderkeg.maps.flow.series import series_of
from powderkeg.maps.flow.tape import LARGE, LONG, PRINT, tape_of
from powderkeg.maps.flow.views import FLOW_VIEWS
from powderkeg.maps.heatmap.coin_view import PriceProfile
from powderkeg.market.book import Book
from powderkeg.settings import Settings

DIRECTIONS = re.compile(
    r"\b(bull\w*|bear\w*|up|down|rise\w*|fall\w*|buy\w*|sell\w*|higher|lower|bounce|target|rally)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def desk():
    return coin()


def ladder(desk, **query):
    return ladder_of(desk, LadderQuery(**{"row": 10.0, "rows": 20, **query}), map_beside(desk, ()))


def by_price(view, name):
    values = getattr(view, name)
    return {round((view.first + i) * view.step): float(x) for i, x in enumerate(values) if x}


def test_bids_are_rounded_down_and_asks_up_and_books_are_added(desk):
    found = ladder(desk)
    assert by_price(found, "bid") == {99_980: 2.0, 99_990: 1.0, 100_000: 2.0, 100_010: 1.0}
    assert by_price(found, "ask") == {100_010: 4.0, 100_020: 8.0, 100_030: 4.0, 100_040: 8.0}
    assert found.best_bid == 100_010.0
    assert found.best_ask == 100_010.0
    assert found.spread == 20.0


def test_books_at_the_same_distance_from_their_mid_are_added_there(desk):
    found = ladder(desk, align="distance")
    assert sum(by_price(found, "bid").values()) == 6.0
    assert max(by_price(found, "bid")) < min(by_price(found, "ask"))


def test_volume_of_the_window_stands_at_its_price(desk):
    found = ladder(desk)
    assert by_price(found, "bought") == {100_010: 10.0}
    assert by_price(found, "sold") == pytest.approx({99_990: 2.5, 100_000: 5.1})
    assert by_price(found, "largest") == {99_990: 0.5, 100_000: 1.0, 100_010: 2.0}
    assert by_price(ladder(desk, venues=("bybit",)), "sold") == {99_990: 2.5}
    assert by_price(ladder(desk, window=60), "bought") == {100_010: 2.0}


def test_the_map_on_the_rows_is_the_map_they_cover(desk):
    profile = map_beside(desk, ())
    wide = ladder(desk, row=5_000.0, rows=400)
    assert wide.fuel_long.sum() + wide.fuel_short.sum() == pytest.approx(
        profile.by_side().sum(), rel=1e-3
    )
    assert len(ladder_of(desk, LadderQuery()).fuel_long) == 0


def test_fuel_where_price_has_been_keeps_the_most_of_the_last_hour(desk):
    now = map_beside(desk, ())
    past = [PriceProfile(now.base, now.dollars * factor) for factor in (2.0, 3.0)]
    fired = Fired(past, 99_000.0, 100_000.0)
    query = LadderQuery(row=100.0, rows=40)
    found = ladder_of(desk, query, now, fired=fired)
    prices = (found.first + np.arange(found.rows)) * found.step
    traded = (prices + 100.0 > 99_000.0) & (prices <= 100_000.0)
    np.testing.assert_allclose(found.fired_long, 3 * found.fuel_long * traded, rtol=1e-6)
    np.testing.assert_allclose(found.fired_short, 3 * found.fuel_short * traded, rtol=1e-6)
    assert len(ladder_of(desk, query, None, fired=fired).fired_long) == 0
    assert len(ladder_of(desk, query, now).fired_long) == 0


def test_the_map_of_the_last_hour_is_read_between_the_prices_traded_since(desk):
    fired = fired_beside(desk, ("binance",))
    assert fired is not None
    assert len(fired.past) == 4
    assert fired.low <= 100_000.0 <= fired.high
    assert fired_beside(Desk("BTC", Settings()), ()) is None


def test_a_row_that_nobody_chose_spreads_the_books_over_the_screen():
    book = Book(M)
    book.apply(snapshot(M, NOW, {99_500.0: 1.0, 99_999.0: 1.0}, {100_001.0: 1.0, 100_500.0: 1.0}))
    assert row_for([book], 100_000.0) == 50.0
    assert row_for([], 100_000.0) == 5.0
    assert row_for([], math.nan) == 1.0


def test_the_tape_has_prints_of_one_taker_and_liquidations(desk):
    found = tape_of(desk, TapeQuery())
    marks = [int(mark) for mark in found.mark]
    assert found.markets == [SPOT, M, N]
    assert marks.count(LONG) == 1
    assert set(marks) <= {PRINT, LARGE, LONG}
    assert (np.diff(found.time) >= 0).all()
    assert float(found.size[found.market == found.markets.index(N)].sum()) == -2.5


def test_the_tape_is_filtered_by_size_venue_time_and_number(desk):
    assert (np.abs(tape_of(desk, TapeQuery(least=2.0)).size) >= 2.0).all()
    assert tape_of(desk, TapeQuery(venues=("bybit",))).markets == [N]
    assert len(tape_of(desk, TapeQuery(limit=3)).time) == 3
    assert len(tape_of(desk, TapeQuery(since=NOW + SECOND)).time) == 0


def test_spot_and_perpetuals_are_summed_apart(desk):
    found = series_of(desk, SeriesQuery(span="15m"))
    perp, spot = found.delta
    assert (perp.kind, perp.markets) == ("perp", [M, N])
    assert (spot.kind, spot.markets) == ("spot", [SPOT])
    assert spot.cvd[-1] == pytest.approx(-5 * 100_000.0)
    bought, sold = 10 * 100_010.0, 2.5 * 99_990.0 + 0.1 * 100_000.0
    assert perp.cvd[-1] == pytest.approx(bought - sold)
    assert sum(each.cvd[-1] for each in found.by_market) == pytest.approx(
        perp.cvd[-1] + spot.cvd[-1]
    )


def test_funding_is_per_eight_hours_and_weighted_and_oi_is_in_coins(desk):
    found = series_of(desk, SeriesQuery(span="15m"))
    assert found.funding[-1] == pytest.approx(2e-4)
    assert found.oi[-1] == 2_000.0
    assert math.isnan(found.oi[0])
    assert found.crowd.shares == {"accounts": 0.71}
    assert found.basis[-1] == pytest.approx(100_000.0 / 99_990.0 - 1)


def test_the_profile_has_its_point_of_control_and_value_area(desk):
    found = profile_of(desk, ProfileQuery(row=10.0))
    assert found.poc == 100_010.0
    assert found.bought.sum() == 10.0
    assert found.sold.sum() == pytest.approx(7.6, rel=1e-6)
    assert found.value_low <= found.poc < found.value_high
    assert found.share >= 0.7


def test_a_coin_without_prints_has_an_empty_profile():
    found = profile_of(Desk("BTC"), ProfileQuery())
    assert len(found.bought) == 0
    assert math.isnan(found.poc)


def test_every_row_of_the_read_has_number_word_need_count_and_age(desk):
    found = read_of(desk, FlowQuery(), clusters_beside(desk, ()))
    assert [row.name for row in found.rows] == ["where", "whether", "when", "crowd"]
    for row in found.rows:
        assert row.word
        assert row.need
        assert row.n >= 0
        assert row.n_of
        assert math.isfinite(row.threshold)
        assert row.age is None or row.age >= 0
        assert not math.isnan(row.figure) or row.state in {"unknown", "not met"}


def test_nothing_in_the_read_names_a_direction(desk):
    for each in (desk, Desk("BTC"), under_pressure()):
        for row in read_of(each, FlowQuery(), clusters_beside(each, ())).rows:
            for text in (value for value in asdict(row).values() if isinstance(value, str)):
                assert not DIRECTIONS.search(text), text


def under_pressure():
    """Return a desk whose bids are refilled while sellers press."""
    desk = coin()
    now = NOW + 2 * SECOND
    for frame in range(900):
        now += SECOND // 5
        heavy = 100.0 if frame > 700 else 0.1
        desk.apply(Trade(M, now, now, 99_990.0, heavy, "sell"))
        desk.apply(snapshot(M, now + 1, {99_990.0: 50.0 + frame % 3}, {100_010.0: 4.0}))
    return desk


def test_pressure_that_is_refilled_is_absorbed():
    desk = under_pressure()
    (whether,) = (row for row in read_of(desk, FlowQuery(), ()).rows if row.name == "whether")
    assert (whether.state, whether.word) == ("met", "absorbing")
    assert whether.figure >= whether.threshold


def test_pressure_without_a_usual_move_is_unknown_not_given_way_to():
    desk = under_pressure()
    newest = desk.flow.pressures[-1]
    desk.flow.pressures.clear()
    desk.flow.pressures.append(replace(newest, ratio=math.nan, absorbed=False))
    (whether,) = (row for row in read_of(desk, FlowQuery(), ()).rows if row.name == "whether")
    assert (whether.state, whether.word) == ("unknown", "nothing to compare with")
    assert "does not move the mid" in whether.detail


@pytest.mark.parametrize("name", FLOW_VIEWS)
def test_every_view_answers_before_the_first_price(name):
    spec, desk = FLOW_VIEWS[name], Desk("BTC")
    spec.view(desk, spec.query(), spec.beside(desk, ()))


def test_a_ladder_before_the_first_price_is_empty():
    found = ladder_of(Desk("BTC"), LadderQuery(rows=10))
    assert math.isnan(found.last)
    assert not found.bid.any()
    assert not found.ask.any()


def test_what_was_added_after_a_count_is_returned_whatever_its_time():
    desk = coin()
    before = desk.flow.prints.total, desk.flow.reported
    late = NOW - SECOND
    desk.apply(Trade(N, late, NOW + 2 * SECOND, 99_990.0, 7.0, "buy"))
    desk.apply(Trade(N, NOW + 3 * SECOND, NOW + 3 * SECOND, 99_990.0, 1.0, "sell"))
    desk.apply(Trade(M, NOW + 4 * SECOND, NOW + 4 * SECOND, 99_990.0, 1.0, "sell"))
    found = tape_of(desk, TapeQuery(), before)
    assert 7.0 in found.size.tolist()
    assert len(tape_of(desk, TapeQuery(), (desk.flow.prints.total, desk.flow.reported)).time) == 0


def test_spot_alone_has_no_map_beside_it_and_no_clusters(desk):
    assert map_beside(desk, ("binance-spot",)) is None
    assert clusters_beside(desk, ("binance-spot",)) == []
    assert map_beside(desk, ("binance-spot", "binance")) is not None


@pytest.mark.parametrize(
    "raw", [{"row": 5e-324}, {"row": 1e-14}, {"row": 1e-9, "centre": 1e12}, {"row": 1e12}]
)
def test_a_row_of_any_height_is_answered_and_a_needlessly_fine_one_is_coarser(desk, raw):
    for align in ("price", "distance"):
        found = ladder(desk, rows=60, align=align, **raw)
        assert found.step >= max(raw["row"], 1e-9 * raw.get("centre", 100_000.0) / 2)
        assert len(found.bid) == 60
