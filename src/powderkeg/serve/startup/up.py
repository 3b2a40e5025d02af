"""The work of ``up``: find the venues or start simulated ones, collect, record and stream."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.errors import StoreError
from powderkeg.feed.decoder import Feed
from powderkeg.live.collector import Collector
from powderkeg.live.maintenance import StoreMaintenance, resume
from powderkeg.live.network.listing import find_symbols
from powderkeg.live.network.reachability import SIMULATED_VENUES, probe_venues
from powderkeg.live.timekeeping.clock import CLOCK, now
from powderkeg.live.timekeeping.discipline import correct_clock
from powderkeg.log import get_logger
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import Starting
from powderkeg.serve.startup.recorded import Recorded
from powderkeg.serve.startup.staged import Staged
from powderkeg.serve.startup.temporary import temporary
from powderkeg.serve.startup.venues import simulated_venues
from powderkeg.serve.startup.warm import warm
from powderkeg.serve.stream.hub import Hub
from powderkeg.settings import LIVE, Settings
from powderkeg.store.folder import Store
from powderkeg.venues import default_venues

log = get_logger("serve")

SEED: Final = 9
"""Default seed of the simulated market."""
SIMULATED: Final = "starting the simulated venues"
RECORDED: Final = "recorded for 30 days"
"""Appended to the note of a simulated market whose history was learned from."""


class Plan(Struct, frozen=True):
    """What to collect, and how."""

    coins: tuple[str, ...]
    venues: tuple[str, ...] = default_venues()
    hosts: dict[str, str] = {}
    """Hosts to use instead of the documented ones."""
    simulate: str = ""
    """Why to start simulated venues at once; empty tries the real ones first."""
    data: Path | None = None
    """Folder to record in; simulated markets use a temporary one."""
    staged: Staged | None = None
    """A scenario for simulated venues to play."""
    seed: int = SEED
    rate: int = 0
    """Least messages per second that simulated venues send."""
    disk: int = LIVE.disk
    """Bytes that recordings may take. Not in the settings of desks, which are in the digest."""
    settings: Settings = LIVE


class Up:
    """A session, its hub, and the work that feeds them."""

    def __init__(self, plan: Plan) -> None:
        """Prepare; nothing is opened yet."""
        self.plan = plan
        if plan.staged is not None:
            CLOCK.follow(plan.staged.pace)
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
        self._problems: dict[str, str] = {}
        """Problems of the store from before there was a collector to report them."""

    async def run(self) -> None:
        """Run until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            warmed = asyncio.ensure_future(self._warm())
            stack.callback(warmed.cancel)
            hosts, folder = self.plan.hosts, self.plan.data
            why = self.plan.simulate or await self._unreachable()
            if why:
                log.info("simulated_market", reason=why)
                self.session.source, self.session.note = "simulated", why
                self.session.progress = SIMULATED
                hosts = await stack.enter_async_context(self._simulated(warmed))
            if self.session.source == "simulated":  # never recorded among real data
                folder = stack.enter_context(temporary())
            store = None
            if folder is not None and (store := await self._opened(folder)) is not None:
                stack.callback(store.close)
            await self._collect(hosts, store, warmed)

    async def _opened(self, folder: Path) -> Store | None:
        """Open the store; without a usable folder the map runs, but nothing is recorded."""
        self.session.progress = "opening the stored history"
        try:
            return await asyncio.to_thread(Store, folder)
        except StoreError as why:
            self._problems["store"] = f"nothing is recorded: {why}"
            log.error("recording_disabled", reason=str(why))  # noqa: TRY400  the message says it all
            return None

    async def _warm(self) -> None:
        """Compile the kernels that are not compiled yet."""
        self.starting.warmed = False
        await asyncio.to_thread(warm)
        self.starting.warmed = True

    @contextlib.asynccontextmanager
    async def _simulated(self, warmed: Awaitable[None]) -> AsyncGenerator[dict[str, str]]:
        """Run the simulated venues, with their history played as if it had been recorded."""
        plan = self.plan
        if plan.staged is not None:
            async with simulated_venues(
                plan.coins, plan.venues, plan.seed, plan.rate, options=plan.staged.options()
            ) as hosts:
                yield hosts
            return
        recorded = Recorded(self.session.desks, plan.settings, plan.seed, warmed)
        self.starting.recorded = recorded.share
        try:
            async with simulated_venues(
                plan.coins, plan.venues, plan.seed, plan.rate, recorded
            ) as hosts:
                recorded.close()
                self.session.note = f"{self.session.note} · {RECORDED}"
                yield hosts
        finally:
            recorded.close()

    async def _unreachable(self) -> str:
        """Return why no venue can be reached, or nothing if one answers."""
        known, clocks = self.starting.answers, dict[str, int]()
        answers = await probe_venues(
            self.plan.venues, self.plan.hosts, answers=known, clocks=clocks
        )
        self.starting.since += correct_clock(clocks, len(self.plan.venues))
        if SIMULATED_VENUES in answers.values():
            self.session.source, self.session.note = (
                "simulated",
                "the hosts named are simulated venues",
            )
        if any(why in ("", SIMULATED_VENUES) for why in answers.values()):
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
                self._problems["record"] = why
                log.warning("history_incomplete", reason=why)
        symbols, lacking = await find_symbols(self.plan.venues, self.plan.coins, hosts)
        for words in lacking:
            log.warning("coin_not_listed", reason=words)
        collector = Collector(
            self.session.desks, self.plan.venues, hosts=hosts, store=store, feed=feed,
            symbols=symbols, on_batch=self.hub.send_tail, progress=progress,
        )  # fmt: skip
        self.collector = self.session.collector = collector
        collector.status.problems |= self._problems
        async with asyncio.TaskGroup() as group:
            group.create_task(collector.run(warmed))
            keep = collector.supervisor.run
            group.create_task(keep("hub", self.hub.run))
            if store is not None:
                settings = replace(self.plan.settings, disk=self.plan.disk)
                maintenance = StoreMaintenance(store, collector, settings)
                maintenance.report()
                group.create_task(keep("housekeeping", maintenance.run))


def offline() -> str:
    """Return why real venues must not be contacted, or nothing."""
    value = os.environ.get("POWDERKEG_OFFLINE", "")
    return f"POWDERKEG_OFFLINE={value} is set" if value not in ("", "0") else ""
