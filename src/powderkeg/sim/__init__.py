"""A made perpetual market with known truth: what venues publish, and beside it what is so."""

from powderkeg.sim.market import MadeMarket
from powderkeg.sim.records import (
    Deaths,
    Forced,
    Ladder,
    MinuteHistory,
    Moment,
    Recording,
    Tape,
    Truth,
    VenueRecording,
)
from powderkeg.sim.world import CALM, DEMO, THIN, World

__all__ = [
    "CALM",
    "DEMO",
    "THIN",
    "Deaths",
    "Forced",
    "Ladder",
    "MadeMarket",
    "MinuteHistory",
    "Moment",
    "Recording",
    "Tape",
    "Truth",
    "VenueRecording",
    "World",
]
