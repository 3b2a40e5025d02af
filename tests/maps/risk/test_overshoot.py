"""The overshoot of a coin: its touches, its chain, and what is unknown."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from tests.maps.risk.scene import MARK, book, candles, coin, profile

from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.risk.outward import mapped_outward
from powderkeg.maps.risk.overshoot import (
    MappedSides,
    OvershootQuery,
    gathered,
    mapped_beside,
    overshoot_of,
)
from powderkeg.maps.views.clusters import foremost, standing

CALM = [MARK * math.exp(0.0002 * (n % 2)) for n in range(60)]
MAP = profile(
    (0, 98_800.0, 99_000.0, 30e6), (0, 96_000.0, 96_300.0, 60e6), (1, 101_500.0, 101_800.0, 9e6)
)


def answer(query=None, books=None, closes=CALM, ended=0, known=MAP):
    """Return the overshoot of the scene."""
    scene = coin(candles(closes), [book("binance:BTCUSDT", 400)] if books is None else books)
    scene.flow.ended.extend(
        (0, SimpleNamespace(end="pulled" if n % 4 == 0 else "traded")) for n in range(ended)
    )
    paths = mapped_outward(scene, MapFilter(), known, MARK, band=False)
    mapped = MappedSides(MARK, paths, foremost(standing(known, MARK)))
    return overshoot_of(gathered(scene, query or OvershootQuery(), mapped))


def test_without_a_level_the_nearest_cluster_of_each_side_is_answered():
    below, above = answer().touches
    assert below.side == "long"
    assert below.level == pytest.approx(98_800, rel=6e-4)  # where even, the lowest price
    assert above.side == "short"
    assert above.level == pytest.approx(101_500, rel=6e-4)
    assert below.cluster[0] < below.level < below.cluster[1]


def test_ends_run_outward_from_the_level():
    below, above = answer().touches
    assert below.level >= below.end[0] > below.end[1] > below.end[2]
    assert above.level <= above.end[0] < above.end[1] < above.end[2]
    for touch in (below, above):
        assert 0 <= touch.beyond <= 1
        assert touch.forced[0] <= touch.forced[1] <= touch.forced[2]
        assert touch.outward.passing[0] == 1.0
        assert len({len(getattr(touch.outward, f)) for f in touch.outward.__struct_fields__}) == 1


def test_a_level_that_is_asked_for_is_the_only_touch():
    (touch,) = answer(OvershootQuery(price=97_500.0)).touches
    assert touch.level == pytest.approx(97_500.0)
    assert touch.distance == pytest.approx(-0.025)
    assert touch.cluster is None
    (inside,) = answer(OvershootQuery(price=101_600.0)).touches
    assert inside.side == "short"
    assert inside.cluster is not None


def test_a_level_beyond_the_path_has_no_touch():
    found = answer(OvershootQuery(price=60_000.0))
    assert found.touches == []
    assert "no cluster ahead, or a level beyond 25 %" in found.unknown


def test_a_chain_is_carried_to_the_next_cluster_where_little_rests():
    below = answer().touches[0]
    assert [link.cumulative for link in below.chain] == pytest.approx([30e6, 90e6], rel=0.05)
    # 270 levels of about 97,700 in the gap: 26 million, less than the 30 before it
    assert below.chain[0].coefficient is None
    assert below.chain[1].coefficient == pytest.approx(30 / 26, rel=0.1)
    assert below.chain_length == 2
    assert any("last cluster" in words for words in answer().unknown)


def test_an_order_has_to_reach_the_first_cluster():
    small = answer(OvershootQuery(order=1e6)).touches[0]
    assert small.chain[0].coefficient < 1
    assert small.chain_length == 0


def test_gaps_hold_less_where_walls_are_pulled():
    plain, pulled = answer(), answer(ended=20)
    assert math.isnan(plain.pulled)
    assert pulled.pulled == 0.25
    one, other = plain.touches[0].chain[1], pulled.touches[0].chain[1]
    assert other.resting == pytest.approx(0.75 * one.resting)


def test_what_is_not_known_is_said():
    words = answer(books=[book("hyperliquid:BTC", 20)], closes=[MARK]).unknown
    assert any("hyperliquid:BTC is displayed only 0.20%" in each for each in words)
    assert any("end beyond all displayed books" in each for each in words)
    assert any("the surviving share is the prior" in each for each in words)
    assert any("too few minutes" in each for each in words)


def test_without_a_live_book_there_is_no_touch():
    found = answer(books=[])
    assert found.touches == []
    assert found.unknown == ["no live book: what would absorb is not known"]


def test_without_a_mark_nothing_is_known():
    scene = coin(candles([MARK]))
    scene.price = math.nan
    found = overshoot_of(gathered(scene, OvershootQuery(), mapped_beside(scene, ())))
    assert found.touches == []
    assert found.unknown == ["no mark price yet"]


def test_an_empty_map_has_no_cluster_ahead():
    found = answer(known=profile())
    assert found.touches == []
    assert found.survival.sweeps == 0
    assert found.survival.median == pytest.approx(0.25)


def test_books_of_other_venues_do_not_count():
    books = [book("binance:BTCUSDT", 400), book("bybit:BTCUSDT", 400)]
    found = answer(OvershootQuery(venues=("bybit",)), books=books)
    assert [reach.market for reach in found.books] == ["bybit:BTCUSDT"]
    assert np.isfinite(found.movement)


def test_cases_that_nothing_absorbs_are_said():
    heavy = profile((0, 98_800.0, 99_000.0, 90e9))
    assert any("not absorbed within" in words for words in answer(known=heavy).unknown)
    light = profile((0, 98_800.0, 99_000.0, 1e5))
    assert not any("not absorbed within" in words for words in answer(known=light).unknown)
