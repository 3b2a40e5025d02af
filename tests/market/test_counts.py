"""Counts of what a desk has applied."""

from __future__ import annotations

from msgspec.structs import asdict

from powderkeg.market.counts import Counts


def test_nothing_is_counted_at_first_and_each_kind_apart():
    counts = Counts()
    assert set(asdict(counts).values()) == {0}
    counts.trades += 3
    assert asdict(counts) == {**asdict(Counts()), "trades": 3}
