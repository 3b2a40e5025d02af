"""``powderkeg liquidation-price``."""

from __future__ import annotations

import json

import pytest

from powderkeg.venues import VENUES

ARGS = ("liquidation-price", "BTC", "--entry", "105000", "--leverage", "25", "--size", "0.01")


def test_each_venue_with_leverage_has_a_row(run):
    rows = {row["venue"]: row for row in json.loads(run(*ARGS, "--json"))}
    assert set(rows) == {name for name, spec in VENUES.items() if spec.leveraged}
    assert rows["binance"]["price"] == pytest.approx(101_204.8, abs=0.05)
    assert rows["hyperliquid"]["price"] > rows["binance"]["price"]
    assert rows["okx"]["why"] == "its margin tiers are not known"
    assert all(row["price"] is None or row["price"] > row["bankruptcy"] for row in rows.values())


def test_a_short_is_liquidated_above_its_entry(run):
    (binance, *_) = json.loads(run(*ARGS, "--side", "short", "--json"))
    assert binance["distance"] == pytest.approx(0.0359, abs=2e-4)


def test_people_read_a_table(run):
    words = run(*ARGS)
    assert "101,204.8" in words
    assert "Binance" in words


@pytest.mark.parametrize(
    ("change", "why"),
    [(("--side", "up"), "expected long or short"), (("--leverage", "0.5"), "a leverage of 1")],
)
def test_what_is_no_position_is_refused(change, why, refused):
    args = [*ARGS, *change]
    assert why in refused(*args)
