"""A made perpetual market with known truth: what venues publish, and beside it what is so."""

from powderkeg.sim.episodes import EPISODES, Episode
from powderkeg.sim.market import MadeMarket
from powderkeg.sim.recorder import joined_history
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
    "EPISODES",
    "THIN",
    "Deaths",
    "Episode",
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
    "joined_history",
]
