"""What became of clusters that price came to, with the distance it missed them by."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from powderkeg.events import MINUTE
from powderkeg.signals.outcomes.touches import touch_of
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Stretch, Zone

RULES = DEFAULT.zones
T = 1_780_272_000_000_000


@dataclass
class Step:
    """A state that an episode entered."""

    state: str


class Signal:
    """An episode as far as a touch looks at it."""

    def __init__(self, kind, *states, begun=T):
        self.kind, self.begun = kind, begun
        self.transitions = [Step(state) for state in states]


def left(*prices, side="long"):
    """Return a cluster from 990 to 1000 after price went through some prices."""
    zone = Zone(Stretch(side, 990.0, 1000.0, 5e6, (1.0, 1.0)), T, 95.0)
    for n, price in enumerate(prices):
        zone.look(T + n * MINUTE, price, (price, price), RULES)
    return zone


def touch(zone, *episodes):
    return touch_of(zone, T, T + 10 * MINUTE, episodes)


def test_price_that_turns_half_a_percent_short_missed_by_half_a_percent():
    found = touch(left(1010.0, 1005.0, 1040.0))
    assert found.outcome == "stalled short"
    assert found.missed == pytest.approx(0.005)
    assert found.swept == 0.0


def test_price_that_stays_farther_than_a_stall_did_not_touch():
    assert touch(left(1012.0, 1040.0)) is None


def test_a_cluster_that_price_went_through_without_a_signal_was_ignored():
    found = touch(left(1005.0, 995.0, 1040.0))
    assert (found.outcome, found.missed, found.swept) == ("ignored", 0.0, pytest.approx(0.5))


@pytest.mark.parametrize(
    ("episodes", "outcome"),
    [
        ([Signal("sweep_reclaim", "APPROACH", "RECLAIMED"), Signal("absorbed", "ABSORBED")],
         "swept and reclaimed"),
        ([Signal("absorbed", "TRADED", "FOLLOWED"), Signal("sweep_reclaim", "FAILED")], "cascaded"),
        ([Signal("absorbed", "TRADED", "ABSORBED")], "absorbed"),
        ([Signal("absorbed", "TRADED", "ABSORBED", begun=T - 1)], "ignored"),
    ],
)  # fmt: skip
def test_signals_since_price_came_near_decide_what_followed(episodes, outcome):
    assert touch(left(1005.0, 995.0, 1040.0), *episodes).outcome == outcome
