"""Chains of stacked clusters: the third trade of the specification."""

from __future__ import annotations

import math

import pytest

from powderkeg.engine.overshoot.chain import chain

CLUSTERS = [
    (140_100.0, 139_900.0, 90e6),
    (138_100.0, 137_900.0, 150e6),
    (135_100.0, 134_900.0, 220e6),
]


def even(begun: float, until: float) -> float:
    """Return 40 million for each percent."""
    return 40e6 * 100 * abs(begun - until) / begun


def test_a_sale_of_400_coins_carries_through_three_clusters():
    found = chain(142_000.0, 400 * 142_000.0, CLUSTERS, even)
    assert [link.coefficient for link in found.links] == pytest.approx([1.06, 1.75, 1.85], abs=5e-3)
    assert [link.cumulative for link in found.links] == [90e6, 240e6, 460e6]
    assert found.length == 3
    assert found.cumulative == 460e6
    assert found.links[0].resting == pytest.approx(53.5e6, abs=0.1e6)


def test_a_chain_ends_at_the_first_gap_that_absorbs():
    found = chain(142_000.0, 30e6, CLUSTERS, even)
    assert [link.carried for link in found.links] == [False, False, False]
    assert found.length == 0
    assert found.cumulative == 0.0
    deep = chain(
        142_000.0, 400 * 142_000.0, CLUSTERS, lambda a, b: even(a, b) * (9 if a < 1.39e5 else 1)
    )
    assert (deep.length, deep.cumulative) == (2, 240e6)


def test_a_cluster_that_price_has_reached_carries_itself():
    found = chain(140_100.0, math.nan, CLUSTERS, even)
    assert found.links[0].coefficient == math.inf
    assert found.links[0].resting == 0.0
    assert found.length == 3


def test_a_gap_without_depth_carries():
    assert chain(142_000.0, 1.0, CLUSTERS, lambda *_: 0.0).length == 3


def test_no_cluster_is_no_chain():
    found = chain(142_000.0, 1.0, [], even)
    assert (found.links, found.length, found.cumulative) == ((), 0, 0.0)
