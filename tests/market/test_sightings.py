"""Positions of watched accounts: replaced by newer reports, dropped when too old."""

from __future__ import annotations

import numpy as np

from powderkeg.events import DAY, HOUR, Positions
from powderkeg.market.sightings import KEEP, ObservedPositions

MARKET = "hyperliquid:BTC"


def report(at, *accounts, flat=()):
    """Return a report of accounts that are long one coin each."""
    ones = np.ones(len(accounts))
    return Positions(MARKET, at, at, accounts, ones, 100.0 * ones, 90.0 * ones, flat)


def seen(*reports):
    observed = ObservedPositions(MARKET)
    for each in reports:
        observed.update(each)
    return observed


def test_a_market_knows_its_venue():
    assert ObservedPositions(MARKET).venue == "hyperliquid"


def test_a_later_report_replaces_what_was_known_of_its_accounts():
    observed = seen(report(DAY, "a", "b"), report(DAY + HOUR, "b"))
    assert {name: each.at for name, each in observed.positions.items()} == {
        "a": DAY,
        "b": DAY + HOUR,
    }


def test_an_account_reported_flat_holds_nothing():
    assert list(seen(report(DAY, "a", "b"), report(DAY + HOUR, flat=("a",))).positions) == ["b"]


def test_an_account_without_a_newer_report_is_dropped_in_time():
    observed = seen(report(DAY, "a"), report(DAY + KEEP, "b"))
    assert list(observed.positions) == ["b"]
    assert [each.at for each in observed.current(DAY + KEEP + HOUR)] == [DAY + KEEP]
    assert observed.current(DAY + 2 * KEEP) == []
