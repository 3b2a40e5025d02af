"""Clusters of four real months: what is plainly there is found, and none is invented."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from powderkeg.events import SECOND
from powderkeg.grid import BIN
from powderkeg.history.playback import Stored
from powderkeg.history.sources import load
from powderkeg.maps.heatmap.coin_view import MapFilter, price_profile
from powderkeg.maps.heatmap.ground import ground
from powderkeg.maps.heatmap.past import price_at
from powderkeg.maps.views.clusters import TIMES, within_reach
from powderkeg.maps.views.queries import LevelsQuery
from powderkeg.maps.views.views import levels

DATES = [
    1_766_188_800, 1_767_225_600, 1_768_003_200, 1_768_867_200, 1_769_731_200,
    1_770_249_600, 1_770_854_400, 1_771_718_400, 1_772_668_800, 1_773_964_800,
]  # fmt: skip
"""Ten midnights from 20 December 2025 to 20 March 2026, seconds."""
NEAR = 0.1
ENOUGH = 3
WINDOW, CLEAR = 10, 1.8
"""What is plainly there: a stretch of 50 bp that holds this many times its ground."""


def plain(dollars, under):
    """Return how many stretches that do not overlap plainly stand out of their ground."""
    kernel = np.ones(WINDOW)
    mass, base = (np.convolve(part, kernel, "valid") for part in (dollars, under))
    times = np.where(mass >= 0.01 * dollars.sum(), mass / np.maximum(base, 1.0), 0.0)
    count = 0
    while times.max() >= CLEAR:
        at = int(times.argmax())
        times[max(at - 2 * WINDOW, 0) : at + 2 * WINDOW] = 0.0
        count += 1
    return count


@pytest.fixture(
    scope="module",
    params=[pytest.param(2, id="two dates"), pytest.param(10, id="ten", marks=pytest.mark.slow)],
)
def desks(data: Path, request: pytest.FixtureRequest):
    """Return mark, map and levels at each of the first dates."""
    patch = pytest.MonkeyPatch()
    patch.setenv("POWDERKEG_DATA", str(data))
    player = Stored(load(Path(__file__).parents[1] / "sources" / "btc_2026.toml"), "BTC")
    found = []
    for date in DATES[: request.param]:
        player.advance(date * SECOND)
        mark = price_at(player.desk, 0)
        found.append(
            (mark, price_profile(player.desk, MapFilter()), levels(player.desk, LevelsQuery()))
        )
    patch.undo()
    return found


@pytest.mark.timeout(600)
def test_every_cluster_of_real_dates_holds_half_as_much_again_as_its_ground(desks):
    for _, _, answer in desks:
        for side in ("long", "short"):
            mine = sorted(
                (c for c in answer.clusters if c.side == side), key=lambda cluster: cluster.floor
            )
            assert all(c.notional >= TIMES * c.ground for c in mine)
            assert all(a.top <= b.floor * (1 + 1e-9) for a, b in pairwise(mine))


@pytest.mark.timeout(600)
def test_what_plainly_stands_out_within_a_tenth_is_found(desks):
    reported = []
    for mark, whole, answer in desks:
        under = ground(whole.by_side(), BIN)
        for side, part in enumerate(within_reach(whole, mark)):
            near = slice(
                max(part.start, round(np.log(mark * (1 - NEAR)) / BIN) - whole.base),
                min(part.stop, round(np.log(mark * (1 + NEAR)) / BIN) - whole.base),
            )
            there = plain(whole.by_side()[side, near], under[side, near])
            name = ("long", "short")[side]
            found = sum(c.side == name and abs(c.distance) <= NEAR for c in answer.clusters)
            assert found >= min(ENOUGH, there), (mark, name, found, there)
            reported.append(found)
    assert sum(n >= ENOUGH for n in reported) >= len(reported) / 2
    assert max(reported) <= 12
