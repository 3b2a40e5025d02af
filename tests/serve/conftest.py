"""A small simulated session without a server process."""

from __future__ import annotations

import pytest

from powderkeg.events import SECOND
from powderkeg.serve.session import Session
from powderkeg.serve.startup.simulated import prepare
from powderkeg.serve.stream.hub import Hub
from powderkeg.settings import Settings

UNTIL = 1_767_225_600 * SECOND
"""A fixed end of the made past: by the wall clock, each run would see another market."""


@pytest.fixture(scope="session")
def prepared():
    """Return a simulated market and the desk that watched half a day of it."""
    return prepare("BTC", 9, UNTIL, 0.5, Settings(draw=SECOND, flush=SECOND))


@pytest.fixture
def session(prepared):
    desk = prepared[1]
    return Session("simulated", {"BTC": desk}, lambda: desk.now)


@pytest.fixture
def hub(session):
    return Hub(session)
