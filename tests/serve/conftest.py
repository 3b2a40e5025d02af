"""A small simulated session without a server process."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn

from powderkeg.events import SECOND
from powderkeg.serve.app import make_app
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


@pytest.fixture
async def served(session, hub):
    """Serve the session on a free port of loopback; give the port."""
    config = uvicorn.Config(
        make_app(session, hub), log_level="error", ws="websockets-sansio",
        ws_per_message_deflate=False, lifespan="off",
    )  # fmt: skip
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        task = asyncio.ensure_future(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110  it has no event
            await asyncio.sleep(0.01)
        yield bound.getsockname()[1]
        server.should_exit = True
        await task
