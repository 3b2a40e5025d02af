"""A small simulated session without a server process."""

from __future__ import annotations

import pytest

from powderkeg.events import MINUTE, SECOND
from powderkeg.serve.feeds import clock, prepare
from powderkeg.serve.hub import Hub
from powderkeg.serve.session import Session
from powderkeg.settings import Settings


@pytest.fixture(scope="session")
def prepared():
    """Return a made market and the desk that watched half a day of it."""
    until = clock() // MINUTE * MINUTE
    return prepare("BTC", 7, until, 0.5, Settings(draw=SECOND, flush=SECOND))


@pytest.fixture
def session(prepared):
    return Session("simulated", {"BTC": prepared[1]}, clock)


@pytest.fixture
def hub(session):
    return Hub(session)
