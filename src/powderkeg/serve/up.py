"""What ``up`` does beside the server: find the venues or start made ones, collect, keep, show."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.feed import Feed
from powderkeg.live.clock import now
from powderkeg.live.contact import MADE, contact
from powderkeg.live.keep import Keep, resume
from powderkeg.live.run import Collector
from powderkeg.live.tell import tell
from powderkeg.serve.hub import Hub
from powderkeg.serve.session import Session
from powderkeg.serve.starting import Starting
from powderkeg.serve.warm import warm
from powderkeg.settings import LIVE, Settings
from powderkeg.store.folder import Store

SIX: Final = ("binance", "bybit", "okx", "bitget", "deribit", "hyperliquid")
"""The venues collected by default."""
SIMULATED: Final = "starting the simulated venues"
START: Final = 120.0
"""Seconds the made venues may take to make their past."""


class Plan(Struct, frozen=True):
    """What to collect and how."""

    coins: tuple[str, ...]
    venues: tuple[str, ...] = SIX
    hosts: dict[str, str] = {}
    """Where venues are, when not where they document."""
    simulate: str = ""
    """Why made venues are to be started at once; empty asks the real ones first."""
    data: Path | None = None
    """Where frames are kept; made markets are kept in a folder that is gone afterwards."""
    seed: int = 7
    rate: int = 0
    """Messages per second that made venues send at least."""
    settings: Settings = LIVE


class Up:
    """The session, its hub, and the work that feeds them."""

    def __init__(self, plan: Plan) -> None:
        """Prepare; nothing is opened yet."""
        self.plan = plan
        self.session = Session(
            "simulated" if plan.simulate else "live",
            {coin: Desk(coin, plan.settings) for coin in plan.coins},
            now,
        )
        self.session.progress = SIMULATED if plan.simulate else "asking the venues"
        self.starting = Starting(self.session, plan.venues, now)
        self.session.starting = lambda: self.starting.answer(self.collector)
        self.hub = Hub(self.session)
        self.collector: Collector | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            warmed = asyncio.ensure_future(asyncio.to_thread(warm))
            stack.callback(warmed.cancel)
            hosts, folder = self.plan.hosts, self.plan.data
            why = self.plan.simulate or await self._silence()
            if why:
                tell(f"simulated market: {why}")
                self.session.source, self.session.note = "simulated", why
                self.session.progress = SIMULATED
                hosts = await stack.enter_async_context(made_venues(self.plan))
            if self.session.source == "simulated":  # what is made is not kept among what is real
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="powderkeg-")))
            store = None
            if folder is not None:
                store = Store(folder)
                stack.callback(store.close)
            await self._collect(hosts, store, warmed)

    async def _silence(self) -> str:
        """Return why no venue can be had, or nothing where one answers."""
        heard = self.starting.answers
        answers = await contact(self.plan.venues, self.plan.hosts, heard=heard)
        if MADE in answers.values():
            self.session.source, self.session.note = "simulated", "the hosts named are made venues"
        if any(why in ("", MADE) for why in answers.values()):
            return ""
        words = "; ".join(f"{name}: {why}" for name, why in answers.items())
        return f"no venue answered ({words})"

    async def _collect(
        self, hosts: dict[str, str], store: Store | None, warmed: Awaitable[None]
    ) -> None:
        def progress(words: str) -> None:
            self.session.progress = words
            self.session.ready = not words

        feed = Feed(self.session.desks)
        if store is not None and store.last:
            self.session.progress = "reading the stored history"
            if why := await asyncio.to_thread(resume, store, feed):
                tell(why)
        collector = Collector(
            self.session.desks, self.plan.venues, hosts=hosts, store=store, feed=feed,
            beat=self.hub.quick, progress=progress,
        )  # fmt: skip
        self.collector = self.session.collector = collector
        async with asyncio.TaskGroup() as group:
            group.create_task(collector.run(warmed))
            group.create_task(self.hub.run())
            if store is not None:
                group.create_task(Keep(store, collector, self.plan.settings).run())


@contextlib.asynccontextmanager
async def made_venues(plan: Plan) -> AsyncGenerator[dict[str, str]]:
    """Run the made venues in a process of their own, and give the hosts they listen on.

    Raises:
        ConfigError: They did not start.
    """
    command = [
        sys.executable, "-m", "powderkeg.simvenues", "--with-parent", "--port", "0",
        "--seed", str(plan.seed), "--rate", str(plan.rate),
        "--coins", *plan.coins, "--venues", *plan.venues,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise ConfigError("expected the made venues to tell their addresses")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START)
        except TimeoutError:
            raise ConfigError(f"expected made venues within {START:.0f} s") from None
        if not line:
            raise ConfigError(f"expected made venues, found exit {await process.wait()}")
        told = msgspec.json.decode(line, type=dict[str, object])
        yield msgspec.convert(told["hosts"], dict[str, str])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def offline() -> str:
    """Return why the real venues are not to be asked, or nothing."""
    told = os.environ.get("POWDERKEG_OFFLINE", "")
    return f"POWDERKEG_OFFLINE={told} is set" if told not in ("", "0") else ""
