"""``powderkeg portfolio``."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from powderkeg.cli import origin
from powderkeg.cli.main import app
from powderkeg.cli.portfolio import words_of

FOUND = {
    "total": 4.5, "most": 6.0, "exceeded": False, "most_correlated": 3.0, "together": 0.7,
    "hours": 336,
    "groups": [
        {"coins": ["BTC", "ETH"], "side": "long", "r": 3.5, "exceeded": True},
        {"coins": ["SOL"], "side": "short", "r": 1.0, "exceeded": False},
    ],
    "pairs": [
        {"coins": ["BTC", "ETH"], "correlation": 0.86},
        {"coins": ["BTC", "SOL"], "correlation": None},
    ],
}  # fmt: skip


def test_the_total_each_group_and_what_it_rests_on_are_shown():
    rests = "Correlation of 336 hourly returns; from 0.7 on two coins count as one."
    assert words_of(FOUND).splitlines() == [
        "4.5 R open, within the cap of 6",
        "BTC, ETH long: 3.5 R, above the cap of 3",
        "SOL short: 1 R, within the cap of 3",
        "BTC and ETH: 0.86",
        f"{rests} Opposite sides are not set off.",
    ]


def test_without_correlations_it_says_that_each_coin_stands_alone():
    found = FOUND | {"hours": 9, "pairs": FOUND["pairs"][1:]}
    assert "Only 9 hours of all coins are known: each stands alone." in words_of(found)


def test_the_running_server_is_asked_for_all_positions(monkeypatch):
    asked = []
    monkeypatch.setattr(origin, "get", lambda *words: asked.append(words) or FOUND)
    given = ["portfolio", "BTC:long:2", "SOL:short:1", "--json", "--url", "http://127.0.0.1:1"]
    answer = CliRunner().invoke(app, given)
    assert json.loads(answer.output) == FOUND
    assert asked == [("http://127.0.0.1:1", "portfolio", {"positions": "BTC:long:2,SOL:short:1"})]
