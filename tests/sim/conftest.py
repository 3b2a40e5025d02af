"""Markets to look at; each is made once, and tests copy what they change."""

from __future__ import annotations

from typing import Final

import pytest

from powderkeg.sim import DEMO, Recording, SimulatedMarket, World

START: Final = 1_700_006_400_000_000
"""A whole eight hours UTC, so that funding falls on day boundaries."""


@pytest.fixture(scope="session")
def start() -> int:
    return START


@pytest.fixture(scope="session")
def grown() -> SimulatedMarket:
    """Three venues after five days of life. Do not step it: copy it."""
    return SimulatedMarket(World(warm=5.0), 3, START)


@pytest.fixture(scope="session")
def recording(grown: SimulatedMarket) -> Recording:
    """Two days of it, second by second."""
    return grown.copy().run(2.0)


@pytest.fixture(scope="session")
def demo() -> SimulatedMarket:
    """A market to look at: censored, scaled. Do not step it: copy it."""
    return SimulatedMarket(DEMO["SOL"], 5, START)
