"""Every class of the signals that a desk holds, for snapshots of it."""

from __future__ import annotations

from typing import Final

from powderkeg.flow.books.whales import RestingWhales
from powderkeg.signals.coin import CoinSignals, Running
from powderkeg.signals.context.wick import Wicks
from powderkeg.signals.contract import Episode, Evidence, Place, Plan, Transition
from powderkeg.signals.observe.observer import BookReadings, Observer
from powderkeg.signals.observe.seconds import Seconds
from powderkeg.signals.observe.slow import SlowReadings
from powderkeg.signals.outcomes.base_rate import Case, Outcomes, Tally
from powderkeg.signals.outcomes.touches import Touch
from powderkeg.signals.scene import Crowd, Level, RestingWhale
from powderkeg.signals.thresholds import ClusterRules, WindowRules
from powderkeg.signals.zones import Stretch, Zone, Zones

RECORDS: Final = (
    CoinSignals, Running, Outcomes, Tally, Observer, BookReadings, SlowReadings, Seconds, Zones,
    Zone, Episode, Transition, Evidence, Place, Plan, Crowd, Level, RestingWhale, RestingWhales,
    ClusterRules, WindowRules,
    Wicks, Stretch, Case, Touch,
)  # fmt: skip
"""In no order that matters."""
