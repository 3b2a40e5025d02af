"""A simulated perpetual market with known truth: published data, and the true state."""

from powderkeg.sim.episodes import EPISODES, Episode
from powderkeg.sim.market import SimulatedMarket
from powderkeg.sim.recorder import joined_history
from powderkeg.sim.records import (
    Forced,
    Ladder,
    LiquidationRecords,
    MinuteHistory,
    Moment,
    Recording,
    Tape,
    Truth,
    VenueRecording,
)
from powderkeg.sim.spot import SpotMarket, spot_history
from powderkeg.sim.world import CALM, DEMO, THIN, World

__all__ = [
    "CALM",
    "DEMO",
    "EPISODES",
    "THIN",
    "Episode",
    "Forced",
    "Ladder",
    "LiquidationRecords",
    "MinuteHistory",
    "Moment",
    "Recording",
    "SimulatedMarket",
    "SpotMarket",
    "Tape",
    "Truth",
    "VenueRecording",
    "World",
    "joined_history",
    "spot_history",
]
