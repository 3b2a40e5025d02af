"""Real positions: what is seen, how much of the market it is, and what may not be concluded."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import astuple

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, SECOND, ClockTick, Mark, OpenInterest, Positions, Trade
from powderkeg.feed.drive import drive
from powderkeg.grid import BIN, PriceRows, bin_of
from powderkeg.history.snapshots import CODEC, digest
from powderkeg.maps.heatmap.coin_view import MapFilter, price_profile
from powderkeg.maps.heatmap.ring import ROWS
from powderkeg.maps.views.clusters import clusters
from powderkeg.maps.views.observed import observed_levels
from powderkeg.market.sightings import KEEP

START = 1_767_225_600 * SECOND
MARKET = "hyperliquid:BTC"
PRICE = 100_000.0
FIRST = bin_of(PRICE) - ROWS // 2


def look(rows, *, at=START, flat=(), market=MARKET):
    """Return a look at accounts: name, signed size, liquidation price."""
    names, sizes, prices = zip(*rows, strict=True) if rows else ((), (), ())
    sizes, prices = np.array(sizes, np.float64), np.array(prices, np.float64)
    return Positions(market, at, at, names, sizes, np.full(len(names), PRICE), prices, flat)


def desk(*events, oi=1000.0, price=PRICE):
    """Return a desk that knows a mark and open interest, then these events."""
    made = Desk("BTC")
    made.apply(Trade(MARKET, START, START, price, 1.0, "buy"))
    made.apply(Mark(MARKET, START, START, price))
    made.apply(OpenInterest(MARKET, START, START, oi))
    drive(made, events)
    return made


def shown(scene, map_filter=MapFilter(), **more):  # noqa: B008  frozen
    return observed_levels(scene, map_filter, PriceRows(FIRST, 1, ROWS), **more)


def test_positions_stand_at_the_venues_own_liquidation_prices():
    view = shown(desk(look([("a", 10.0, 95_000.0), ("b", -4.0, 105_000.0)])))
    assert view.long[bin_of(95_000.0) - FIRST] == pytest.approx(950_000.0)
    assert view.short[bin_of(105_000.0) - FIRST] == pytest.approx(420_000.0)
    assert np.count_nonzero(view.long) == np.count_nonzero(view.short) == 1
    assert astuple(view.dollars) == pytest.approx((950_000.0, 420_000.0))
    assert (view.p0, view.dp, view.rows) == (FIRST * BIN, BIN, ROWS)


def test_coverage_is_the_size_seen_over_open_interest_of_each_side():
    rows = [("a", 10.0, 95_000.0), ("b", -4.0, math.nan), ("c", 5.0, math.nan)]
    view = shown(desk(look(rows), oi=100.0))
    assert astuple(view.share) == pytest.approx((0.15, 0.04))
    assert (view.accounts, view.unplaced, view.passed) == (3, 2, 0)
    assert view.origin == "3 accounts seen at hyperliquid"


def test_without_open_interest_there_is_no_coverage():
    made = Desk("BTC")
    made.apply(look([("a", 10.0, 95_000.0)]))
    view = shown(made)
    assert astuple(view.share) == (None, None)
    assert view.long.sum() == pytest.approx(950_000.0)


def test_looks_make_no_market_and_change_no_estimate():
    """Never mixed: the map, its markets and its clusters are the same with and without."""
    with_it, without = desk(look([("a", 500.0, 95_000.0)])), desk()
    assert with_it.markets.keys() == without.markets.keys()
    assert digest(with_it) != digest(without)
    maps = [price_profile(made, MapFilter()).dollars.tobytes() for made in (with_it, without)]
    assert maps[0] == maps[1]
    assert [m.last_received for m in with_it.markets.values()] == [
        m.last_received for m in without.markets.values()
    ]
    quiet = Desk("BTC")
    quiet.apply(look([("a", 500.0, 95_000.0)]))
    assert quiet.markets == {}
    assert math.isnan(quiet.price)


def test_an_account_missing_from_a_look_has_closed_nothing():
    """Trap 10: lists of leaders change their members from look to look."""
    made = desk(
        look([("a", 10.0, 95_000.0)]), look([("b", 1.0, 95_000.0)], at=START + HOUR)
    )  # fmt: skip
    assert shown(made).accounts == 2


def test_an_account_looked_at_that_holds_nothing_has_closed():
    made = desk(look([("a", 10.0, 95_000.0)]), look([], at=START + HOUR, flat=("a",)))
    view = shown(made)
    assert view.accounts == 0
    assert view.long.sum() == 0
    assert view.origin == ""
    assert view.snapshot_age == 0.0


def test_a_newer_look_at_an_account_replaces_the_older():
    made = desk(look([("a", 10.0, 95_000.0)]), look([("a", -2.0, 105_000.0)], at=START + HOUR))
    view = shown(made)
    assert (view.long.sum(), view.accounts) == (0, 1)
    assert view.short.sum() == pytest.approx(210_000.0)


def test_what_was_not_seen_for_a_day_is_unknown():
    first, later = look([("a", 10.0, 95_000.0)]), look([("b", 1.0, 95_000.0)], at=START + DAY - 1)
    made = desk(first, later)
    assert shown(made).accounts == 2
    made.apply(ClockTick(START + KEEP))
    assert shown(made).accounts == 1
    made.apply(look([("b", 1.0, 95_000.0)], at=START + KEEP))
    assert list(made.observed[MARKET].positions) == ["b"]


def test_age_is_the_time_since_the_newest_look():
    made = desk(look([("a", 10.0, 95_000.0)]))
    made.apply(ClockTick(START + 90 * SECOND))
    assert shown(made).snapshot_age == 90.0
    assert shown(desk()).snapshot_age is None


def test_a_price_the_mark_has_passed_is_no_longer_drawn():
    made = desk(look([("a", 10.0, 95_000.0), ("b", -4.0, 105_000.0)]), price=94_000.0)
    view = shown(made)
    assert view.long.sum() == 0
    assert (view.passed, view.unplaced) == (1, 0)
    assert view.short.sum() > 0


def test_positions_beyond_the_rows_count_in_dollars_only():
    """Some shorts carry a liquidation price above twice the market."""
    view = shown(desk(look([("a", -1.0, 256_404.67)])))
    assert view.short.sum() == 0
    assert view.dollars.short == pytest.approx(256_404.67)


def test_venues_and_sides_can_be_chosen():
    made = desk(look([("a", 10.0, 95_000.0), ("b", -4.0, 105_000.0)]))
    assert shown(made, MapFilter(venues=("binance",))).accounts == 0
    view = shown(made, MapFilter(side="short"))
    assert view.long.sum() == 0
    assert view.dollars.long == 0
    assert view.short.sum() > 0


def test_nothing_is_kept_of_the_past():
    assert shown(desk(look([("a", 10.0, 95_000.0)])), at=START).accounts == 0


def test_a_desk_resumed_from_its_bytes_goes_on_as_if_it_had_never_stopped():
    made = desk(look([("a", 10.0, 95_000.0), ("b", -4.0, math.nan)]))
    again = CODEC.unpack(CODEC.pack(made))
    for each in (made, again):
        each.apply(Trade(MARKET, START + SECOND, START + SECOND, PRICE, 3.0, "sell"))
        each.apply(look([("b", -4.0, 104_000.0)], at=START + HOUR, flat=("a",)))
    assert digest(made) == digest(again)
    assert clusters(price_profile(made, MapFilter()), PRICE) == clusters(
        price_profile(again, MapFilter()), PRICE
    )
