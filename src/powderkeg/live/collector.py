"""The live loop: frames are stored, then decoded and applied, then shown, always in that order."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from powderkeg.desk import Ask, Desk
from powderkeg.errors import StoreError
from powderkeg.events import SECOND, ClockTick, Gap
from powderkeg.feed.decoder import Feed
from powderkeg.frames import BackfillDone, Frame, Started
from powderkeg.live.answers import FeedHealth, LoopLag
from powderkeg.live.backfill import DAYS, Backfill, BackfillRequest
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.live.memory import release_memory
from powderkeg.live.network.backoff import Backoff
from powderkeg.live.network.connection import Connection
from powderkeg.live.network.listing import Symbols, default_symbols
from powderkeg.live.network.rest import RequestRejected, Rest
from powderkeg.live.player import Player
from powderkeg.live.report import report
from powderkeg.live.supervise import Supervisor
from powderkeg.live.timekeeping.clock import now, steady
from powderkeg.live.timekeeping.discipline import Discipline
from powderkeg.live.timekeeping.loop_lag import LoopLagMonitor
from powderkeg.log import get_logger
from powderkeg.store.folder import Store
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.base import Poll

log = get_logger("live")

BATCH_DELAY: Final = 0.010
"""Seconds over which frames are batched before they are stored: one disk sync serves them all."""
TICK: Final = SECOND // 4
"""µs between ticks."""
CHECK: Final = SECOND // 4
READY_TIMEOUT: Final = 30.0
"""Seconds after which the start counts as ready, even if backfills are still missing."""
RESYNC_INTERVAL: Final = 2.0
"""Seconds to wait for a book snapshot before requesting it again: snapshots cost much weight."""
STORE_RETRY: Final = 5.0
"""Seconds until writing is tried again after a disk error."""
FIRST: Final = ("clock", "instruments", "fundingInfo")
"""Channels to request first: without them sizes and rates mean nothing."""

Work = Callable[[], Awaitable[None]]


def tune_gc() -> None:
    """Make garbage collections rare.

    A batch of books is a hundred thousand short-lived tuples, and scanning them costs half as
    much again as decoding them (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 5)


class Collector:
    """Sockets, REST polling and the main loop, for the chosen coins and venues."""

    def __init__(
        self,
        desks: dict[str, Desk],
        venues: tuple[str, ...],
        *,
        hosts: dict[str, str] | None = None,
        store: Store | None = None,
        feed: Feed | None = None,
        symbols: Symbols | None = None,
        history: bool = True,
        on_batch: Callable[[], None] = lambda: None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            desks: By coin.
            venues: Names of venues to collect from.
            hosts: Hosts to use instead of the documented ones; see `endpoints.parse`.
            store: Records frames; None records nothing.
            feed: Feed of these desks, if it already holds stored history.
            symbols: Symbols of each venue, see `find_symbols`; None takes the default ones.
            history: Backfill; without it every coin starts empty.
            on_batch: Called after each batch was applied.
            progress: Called with a description of what is being done until every coin is ready.

        Raises:
            ConfigError: An account to watch is invalid, or there are too many.
        """
        self.desks = desks
        self.hosts = hosts or {}
        self.store = store
        self.status = Health()
        self.supervisor = Supervisor(self.status)
        self.failed = False
        """True once the loop has failed: nothing is up or recorded any more."""
        self.loop_lag = LoopLagMonitor()
        self.feed = feed or Feed(desks)
        self.feed.watch = self.status.received
        self.inbox = Inbox(store.last if store else 0)
        self.recording = store is not None
        """False while the disk refuses writes; everything else keeps running."""
        self._retry_at = 0.0
        """Loop time before which writing is not tried again."""
        self.symbols: Symbols = {}
        self.connections: list[Connection] = []
        self.rests: dict[str, Rest] = {}
        self._watched: dict[str, list[Poll]] = {}
        self.applied = 0
        """Frames processed by the feed since the start."""
        self._on_batch, self._history, self._progress = on_batch, history, progress
        self.backfill: Backfill | None = None
        """Progress of the backfill; None where there is none."""
        self._resyncing: set[str] = set()
        self._checked = self._ticked = 0
        self._prepare(venues, symbols)
        self._discipline = Discipline(self.status, len(self.symbols))
        self.player = Player(self.inbox, [m for coin in desks for m in self.markets(coin)])
        self.feed.play = self.player.add

    def _prepare(self, venues: tuple[str, ...], symbols: Symbols | None) -> None:
        """Choose each venue's markets; a venue that lists none of the coins is left out."""
        for name in venues:
            venue = VENUES[name].reader("")
            if (
                chosen := default_symbols(venue, tuple(self.desks))
                if symbols is None
                else symbols[name]
            ):
                self._add(name, venue, chosen)

    def _add(self, name: str, venue: VenueReader, symbols: dict[str, str]) -> None:
        self.symbols[name] = symbols
        self.rests[name] = Rest(venue, self.inbox, self.status, self.hosts)
        accounts = [each for desk in self.desks.values() for each in desk.settings.accounts]
        for poll in venue.polls(tuple(symbols.values())):
            self.status.expect(poll.channels)
        self._watched[name] = venue.watch(tuple(dict.fromkeys(accounts)))
        for stream in venue.streams(tuple(symbols.values())):
            self.connections.append(
                Connection(name, stream, self.inbox, self.status, self.hosts, venue.reply)
            )

    @property
    def ready(self) -> bool:
        """True once every market's history has been played."""
        return not self.feed.waiting

    def markets(self, coin: str) -> dict[str, str]:
        """Return the markets collected for a coin, and the state of their links.

        A market still waiting for its history, at a venue without problems, is `joining`.
        """
        return {
            name: "joining" if self._is_joining(name) else self.status.states.get(name, "down")
            for name in self._names(coin)
        }

    def _names(self, coin: str) -> tuple[str, ...]:
        """Return the markets of a coin at the venues that list it."""
        by_venue = self.symbols.items()
        return tuple(f"{name}:{symbols[coin]}" for name, symbols in by_venue if coin in symbols)

    def _is_joining(self, market: str) -> bool:
        waits = market in self.feed.waiting or not self.feed.seq
        return waits and market.partition(":")[0] not in self.status.problems

    def health(self) -> FeedHealth:
        """Return the state of each venue and channel."""
        return replace(
            report(self.status, self.feed, self.rests), hosts=self.hosts,
            lag=LoopLag(self.loop_lag.recent, self.loop_lag.worst),
            waiting_frames=self.inbox.size, recorded_frames=self.store.last if self.store else 0,
            recording=self.recording and not self.failed,
        )  # fmt: skip

    async def run(self, warmed: Awaitable[None] | None = None) -> None:
        """Collect until cancelled.

        Args:
            warmed: Done once all kernels are compiled. Meanwhile frames are requested and stored
                but not decoded, or the first event would block the loop.
        """
        tune_gc()
        markets = {coin: self._names(coin) for coin in self.desks}
        self.inbox.put_control(Started(now(), markets))
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._start_tasks(warmed)
        except ExceptionGroup:
            self.failed = True
            self.status.end()
            raise

    async def _start_tasks(self, warmed: Awaitable[None] | None) -> None:
        """Start all tasks. Only a failure of the main loop stops the others."""
        known = {name: asyncio.Event() for name in self.rests}
        self._apply(await self._stored())  # so that every market is waiting from now on
        self._group.create_task(self._loop(warmed))
        self._start("player", self.player.run)
        self._start("pulse", self.loop_lag.run)
        for name, rest in self.rests.items():
            self._group.create_task(self._venue(name, rest, known[name]))
        if self._history:
            self._start("history", lambda: self._run_backfill(known))
        else:
            for market in self.feed.waiting:
                self.inbox.put_control(BackfillDone(now(), market, now()))

    def _start(self, name: str, work: Work) -> None:
        self._group.create_task(self.supervisor.run(name, work))

    async def _venue(self, name: str, rest: Rest, known: asyncio.Event) -> None:
        """Run one venue's tasks; after an error in any of them, restart all of them."""
        async with rest:  # other tasks use this session, also between restarts
            await self.supervisor.run(
                name, lambda: self._tasks(name, rest, known), lambda why: self._mark_down(name, why)
            )

    def _mark_down(self, name: str, why: str) -> None:
        """Mark a venue as down until its tasks are restarted."""
        for connection in self.connections:
            if connection.venue == name:
                connection.mark_lost(why)
        self.status.reset_polling(name)

    async def _tasks(self, name: str, rest: Rest, known: asyncio.Event) -> None:
        """Poll and listen to one venue: first what its sizes mean, then everything else."""
        polls = rest.venue.polls(tuple(self.symbols[name].values()))
        first = [poll for poll in polls if poll.channel in FIRST]
        async with asyncio.TaskGroup() as group:
            answers = await asyncio.gather(*(self._try_fetch(rest, poll) for poll in first))
            later = [poll for poll, answered in zip(first, answers, strict=True) if answered]
            known.set()
            for connection in self.connections:
                if connection.venue == name:
                    group.create_task(connection.run())
            for poll in polls + self._watched[name]:
                group.create_task(self._repeat(rest, poll, later=poll in later))

    async def _try_fetch(self, rest: Rest, poll: Poll) -> bool:
        """Fetch once; return whether it was answered."""
        try:
            await rest.fetch(poll)
        except RequestRejected as why:
            log.warning("request_refused", venue=rest.venue.name, reason=str(why))
            return False
        return True

    async def _repeat(self, rest: Rest, poll: Poll, *, later: bool) -> None:
        if later:
            await asyncio.sleep(poll.every / SECOND)
        await rest.repeat(poll)

    async def _run_backfill(self, known: dict[str, asyncio.Event]) -> None:
        wanted = [
            BackfillRequest(
                coin, f"{name}:{symbol}", symbol, name, self._known_until(coin, f"{name}:{symbol}")
            )
            for name, symbols in self.symbols.items()
            for coin, symbol in symbols.items()
        ]
        self.backfill = work = Backfill(wanted, self.rests, known, self.inbox, self.supervisor)
        self._start("progress", self._report)
        await work.run()
        for market, asked in work.progress.items():
            if asked.failed:
                problems, name = self.status.problems, market.partition(":")[0]
                problems.setdefault(name, f"history: {asked.failed}")

    async def _report(self) -> None:
        """Report backfill progress until it is complete or `READY_TIMEOUT` is over."""
        end = asyncio.get_running_loop().time() + READY_TIMEOUT
        while not self.ready and asyncio.get_running_loop().time() < end:
            asked = list(self.backfill.progress.values()) if self.backfill else []
            answered, wanted = sum(a.answered for a in asked), sum(a.requests for a in asked)
            words = f"fetching {DAYS} days of history"
            self._progress(f"{words}: {answered} of {wanted} answers" if wanted else words)
            await asyncio.sleep(CHECK / SECOND)
        self._progress("")
        await asyncio.to_thread(release_memory)  # a backfill peaks at ten times what it leaves

    def _known_until(self, coin: str, market: str) -> int:
        known = self.desks[coin].markets.get(market)
        return known.last_received if known else 0

    # -- the loop

    async def _loop(self, warmed: Awaitable[None] | None) -> None:
        if warmed is not None:
            await warmed
        while True:
            await self.inbox.wait(TICK / SECOND)
            await asyncio.sleep(BATCH_DELAY)
            self._tick()
            self._apply(await self._stored())
            with self.supervisor.guard("stream"):
                self._on_batch()

    async def _stored(self) -> list[Frame]:
        """Return the frames that have arrived, once they are on disk."""
        frames = self.inbox.take()
        if frames:
            await self._store_batch(frames)
        return frames

    def _tick(self) -> None:
        """Emit clock ticks and changes of link state."""
        at = steady()
        if at >= self._checked + CHECK:
            self._checked = at
            self._discipline.check(max(desk.now for desk in self.desks.values()))
            for link in self.status.check(now()):
                self.inbox.put_control(link)
        if at >= self._ticked + TICK:
            self._ticked = at
            self.inbox.put_control(ClockTick(now()))

    async def _store_batch(self, frames: list[Frame]) -> None:
        """Store a batch before it is decoded. A disk error stops the recording only.

        Writing is tried again every few seconds; frames in between are a hole in the record.
        """
        at = asyncio.get_running_loop().time()
        if self.store is None or at < self._retry_at:
            return
        try:
            missed = await asyncio.to_thread(_append, self.store, frames)
        except StoreError as why:
            self._retry_at = at + STORE_RETRY
            if self.recording:
                self.recording = False
                log.error("recording_stopped", reason=str(why))  # noqa: TRY400  known by its words
            self.status.problems["store"] = f"recording has stopped: {why}"
        else:
            if not self.recording:
                self.recording = True
                self.status.problems.pop("store", None)
                log.info("recording_resumed", missing_frames=missed)

    def _apply(self, frames: list[Frame]) -> None:
        for ask in self.feed.process(frames):
            self._resync(ask)
        self.applied += len(frames)

    def _resync(self, ask: Ask) -> None:
        """Emit a gap, and request the book until it is live again."""
        name = ask.market.partition(":")[0]
        if ask.since:
            at = now()
            self.inbox.put_control(
                Gap(ask.market, at, at, ask.since, "changes of the book were lost")
            )
        if name in self.rests and ask.market not in self._resyncing:
            self._resyncing.add(ask.market)
            self._start(name, lambda: self._resync_books(ask.market))

    async def _resync_books(self, market: str) -> None:
        """Request the whole book in the venue's own way until it is live again."""
        name, _, symbol = market.partition(":")
        backoff = Backoff()
        await self.rests[name].opened.wait()
        while self._book(market) != "live":
            self.status.counts[name, "book snapshots"] += 1
            how = self.rests[name].venue.snapshot(symbol)
            if isinstance(how, Poll):
                await self._try_fetch(self.rests[name], how)
            else:
                self._send_on_book_connection(name, market, how)
            await asyncio.sleep(RESYNC_INTERVAL + backoff.next())
        self._resyncing.discard(market)

    def _book(self, market: str) -> str:
        """Return the state of a market's book; `live` for a coin no longer collected."""
        coin = self.feed.coins.get(market, "")
        desk = self.desks.get(coin)
        return desk.markets[market].book.status if desk and market in desk.markets else "live"

    def _send_on_book_connection(self, name: str, market: str, messages: tuple[bytes, ...]) -> None:
        """Send messages on the connection that carries a market's book."""
        for connection in self.connections:
            carried = {(c.market, c.kind) for c in connection.stream.channels}
            if connection.venue == name and (market, "book") in carried:
                connection.send(messages)


def _append(store: Store, frames: list[Frame]) -> int:
    """Store a batch and the hole before it; return the number of frames in the hole."""
    missed = frames[0].seq - 1 - store.last
    store.append(frames, "the disk refused")
    return missed
