"""Servers on loopback that answer as told, a venue that is only what a test needs, closed ports."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web

from powderkeg.errors import WireError
from powderkeg.events import SECOND
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.venues.base import Limits
from powderkeg.venues.reader import VenueState


class Wire:
    """The least a venue is."""

    name = "made"
    limits = Limits(1000, SECOND, "X-Used")
    liquidations = "all"

    def __init__(self):
        self.state = VenueState(self.name)

    def read(self, raw, _seen, channel=""):
        if raw == b"rubbish":
            raise WireError(self.name, "no clock", raw)
        if channel == "clock":
            self.state.server_time = int(raw)
        return []


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def closed():
    """Return an address that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
async def server():
    """Return what serves a handler on all paths and gives its address."""
    runners = []

    async def serve(answer):
        async def handler(request):
            return await answer(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


async def until(holds, seconds=60.0):
    """Wait until something holds, for as long as a busy machine may take."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  anything may be waited for
            await asyncio.sleep(0.01)
