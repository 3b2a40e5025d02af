"""The live loop: what arrives is stored, then read, then shown. In that order, always."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any, Final

from powderkeg.desk import Ask, Desk
from powderkeg.errors import StoreError
from powderkeg.events import SECOND, ClockTick, Gap
from powderkeg.feed.decoder import Feed
from powderkeg.frames import BackfillDone, Frame, Started
from powderkeg.live.backfill import DAYS, Backfill, Wanted
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.live.memory import give_back
from powderkeg.live.network.backoff import Backoff
from powderkeg.live.network.connection import Connection
from powderkeg.live.network.listing import Symbols, usual
from powderkeg.live.network.rest import RequestRejected, Rest
from powderkeg.live.player import Player
from powderkeg.live.report import report
from powderkeg.live.supervise import Supervisor
from powderkeg.live.timekeeping.clock import now, steady
from powderkeg.live.timekeeping.discipline import Discipline
from powderkeg.live.timekeeping.loop_lag import Pulse
from powderkeg.log import get_logger
from powderkeg.store.folder import Store
from powderkeg.venues import VENUES
from powderkeg.venues.base import Poll, Venue

log = get_logger("live")

GATHER: Final = 0.010
"""Seconds frames gather before they are stored: one sync of the disk then serves them all."""
TICK: Final = SECOND // 4
"""µs between ticks."""
CHECK: Final = SECOND // 4
PATIENCE: Final = 30.0
"""Seconds after which the maps are ready without the pasts that are still missing."""
MEND: Final = 2.0
"""Seconds a snapshot may take before it is asked for again: they are dear."""

AGAIN: Final = 5.0
"""Seconds until a disk that has refused is asked again."""
FIRST: Final = ("clock", "instruments", "fundingInfo")
"""Answers without which sizes and rates mean nothing."""

Work = Callable[[], Awaitable[None]]


def tune_gc() -> None:
    """Let the garbage collector look seldom.

    A batch of books is a hundred thousand short-lived tuples, and looking at them costs half as
    much again as reading them (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 5)


class Collector:
    """Sockets, requests and the loop, for the coins and venues wanted."""

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
        beat: Callable[[], None] = lambda: None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            desks: By coin.
            venues: Names of venues to collect from.
            hosts: Where they are, when not where they document; see `hosts.parse`.
            store: Where frames are kept; None keeps nothing.
            feed: Of these desks, where it holds a stored past already.
            symbols: Of the coins each venue lists, see `listing`; None takes the usual ones.
            history: Ask for the past; without it every coin begins with what comes.
            beat: Called after each batch was applied.
            progress: Told in words what is being done before every coin is ready.

        Raises:
            ConfigError: An account to watch is none, or there are too many.
        """
        self.desks = desks
        self.hosts = hosts or {}
        self.store = store
        self.status = Health()
        self.supervisor = Supervisor(self.status)
        self.failed = False
        """True once the loop has failed: nothing is up, and nothing recorded, without it."""
        self.pulse = Pulse()
        self.feed = feed or Feed(desks)
        self.feed.watch = self.status.received
        self.inbox = Inbox(store.last if store else 0)
        self.recording = store is not None
        """False while the disk refuses: everything else goes on."""
        self._refused = 0.0
        """Time of the loop until which a disk that has refused is not asked."""
        self.symbols: Symbols = {}
        self.keepers: list[Connection] = []
        self.rests: dict[str, Rest] = {}
        self._watched: dict[str, list[Poll]] = {}
        self.applied = 0
        """Frames taken by the feed since the start."""
        self._beat, self._history, self._progress = beat, history, progress
        self.backfill: Backfill | None = None
        """How far the answers about the past are; None where none is asked for."""
        self._resyncing: set[str] = set()
        self._checked = self._ticked = 0
        self._prepare(venues, symbols)
        self._discipline = Discipline(self.status, len(self.symbols))
        self.player = Player(self.inbox, [m for coin in desks for m in self.markets(coin)])
        self.feed.play = self.player.add

    def _prepare(self, venues: tuple[str, ...], symbols: Symbols | None) -> None:
        """Choose each venue's markets; one that lists none of the coins is left alone."""
        for name in venues:
            venue = VENUES[name]("")
            if chosen := usual(venue, tuple(self.desks)) if symbols is None else symbols[name]:
                self._add(name, venue, chosen)

    def _add(self, name: str, venue: Venue, symbols: dict[str, str]) -> None:
        self.symbols[name] = symbols
        self.rests[name] = Rest(venue, self.inbox, self.status, self.hosts)
        accounts = [each for desk in self.desks.values() for each in desk.settings.accounts]
        for poll in venue.polls(tuple(symbols.values())):
            self.status.expect(poll.channels)
        self._watched[name] = venue.watch(tuple(dict.fromkeys(accounts)))
        for stream in venue.streams(tuple(symbols.values())):
            self.keepers.append(
                Connection(name, stream, self.inbox, self.status, self.hosts, venue.reply)
            )

    @property
    def ready(self) -> bool:
        """True once every market has lived through its past."""
        return not self.feed.waiting

    def markets(self, coin: str) -> dict[str, str]:
        """Return the markets that are collected for a coin, and the state of their links.

        One that waits for its past, and of whose venue nothing has failed, is joining.
        """
        return {
            name: "joining" if self._joins(name) else self.status.states.get(name, "down")
            for name in self._names(coin)
        }

    def _names(self, coin: str) -> tuple[str, ...]:
        """Return the markets of a coin at the venues that list it."""
        told = self.symbols.items()
        return tuple(f"{name}:{symbols[coin]}" for name, symbols in told if coin in symbols)

    def _joins(self, market: str) -> bool:
        waits = market in self.feed.waiting or not self.feed.seq
        return waits and market.partition(":")[0] not in self.status.problems

    def health(self) -> dict[str, Any]:
        """Return how each venue and channel fares."""
        return report(self.status, self.feed, self.rests) | {
            "hosts": self.hosts,
            "lag": {"recent": self.pulse.recent, "worst": self.pulse.worst},
            "waiting_frames": self.inbox.size,
            "recorded_frames": self.store.last if self.store else 0,
            "recording": self.recording and not self.failed,
        }

    async def run(self, warmed: Awaitable[None] | None = None) -> None:
        """Collect until cancelled.

        Args:
            warmed: Done once all kernels are compiled. Venues are asked meanwhile, and what they
                say is stored; nothing is read before, or the first event would hold up the loop.
        """
        tune_gc()
        markets = {coin: self._names(coin) for coin in self.desks}
        self.inbox.put_control(Started(now(), markets))
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._begin(warmed)
        except ExceptionGroup:
            self.failed = True
            self.status.end()
            raise

    async def _begin(self, warmed: Awaitable[None] | None) -> None:
        """Start everything. Only the loop itself ends the others with it."""
        known = {name: asyncio.Event() for name in self.rests}
        self._apply(await self._stored())  # so that every market waits from now on
        self._group.create_task(self._loop(warmed))
        self._start("player", self.player.run)
        self._start("pulse", self.pulse.run)
        for name, rest in self.rests.items():
            self._group.create_task(self._venue(name, rest, known[name]))
        if self._history:
            self._start("history", lambda: self._fill(known))
        else:
            for market in self.feed.waiting:
                self.inbox.put_control(BackfillDone(now(), market, now()))

    def _start(self, name: str, work: Work) -> None:
        self._group.create_task(self.supervisor.keep(name, work))

    async def _venue(self, name: str, rest: Rest, known: asyncio.Event) -> None:
        """Keep at one venue; after an error of any of its tasks all of them begin again."""
        async with rest:  # requests of others go through this session, also meanwhile
            await self.supervisor.keep(
                name, lambda: self._tasks(name, rest, known), lambda why: self._fell(name, why)
            )

    def _fell(self, name: str, why: str) -> None:
        """Say that a venue is down until its tasks have begun again."""
        for keeper in self.keepers:
            if keeper.venue == name:
                keeper.lose(why)
        self.status.unasked(name)

    async def _tasks(self, name: str, rest: Rest, known: asyncio.Event) -> None:
        """Keep asking and hearing one venue: first what its sizes mean, then everything."""
        polls = rest.venue.polls(tuple(self.symbols[name].values()))
        first = [poll for poll in polls if poll.channel in FIRST]
        async with asyncio.TaskGroup() as group:
            told = await asyncio.gather(*(self._once(rest, poll) for poll in first))
            later = [poll for poll, answered in zip(first, told, strict=True) if answered]
            known.set()
            for keeper in self.keepers:
                if keeper.venue == name:
                    group.create_task(keeper.run())
            for poll in polls + self._watched[name]:
                group.create_task(self._again(rest, poll, later=poll in later))

    async def _once(self, rest: Rest, poll: Poll) -> bool:
        """Ask once; return whether it was answered."""
        try:
            await rest.fetch(poll)
        except RequestRejected as why:
            log.warning("request_refused", venue=rest.venue.name, reason=str(why))
            return False
        return True

    async def _again(self, rest: Rest, poll: Poll, *, later: bool) -> None:
        if later:
            await asyncio.sleep(poll.every / SECOND)
        await rest.repeat(poll)

    async def _fill(self, known: dict[str, asyncio.Event]) -> None:
        wanted = [
            Wanted(coin, f"{name}:{symbol}", symbol, name, self._since(coin, f"{name}:{symbol}"))
            for name, symbols in self.symbols.items()
            for coin, symbol in symbols.items()
        ]
        self.backfill = work = Backfill(wanted, self.rests, known, self.inbox, self.supervisor)
        self._start("progress", self._report)
        await work.run()
        for market, asked in work.asked.items():
            if asked.failed:
                problems, name = self.status.problems, market.partition(":")[0]
                problems.setdefault(name, f"history: {asked.failed}")

    async def _report(self) -> None:
        """Report how far the pasts are, until all are there or patience is at its end."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while not self.ready and asyncio.get_running_loop().time() < end:
            asked = list(self.backfill.asked.values()) if self.backfill else []
            answered, wanted = sum(a.answered for a in asked), sum(a.asked for a in asked)
            words = f"fetching {DAYS} days of history"
            self._progress(f"{words}: {answered} of {wanted} answers" if wanted else words)
            await asyncio.sleep(CHECK / SECOND)
        self._progress("")
        await asyncio.to_thread(give_back)  # playing a past takes ten times what is kept of it

    def _since(self, coin: str, market: str) -> int:
        known = self.desks[coin].markets.get(market)
        return known.last_received if known else 0

    # -- the loop

    async def _loop(self, warmed: Awaitable[None] | None) -> None:
        if warmed is not None:
            await warmed
        while True:
            await self.inbox.wait(TICK / SECOND)
            await asyncio.sleep(GATHER)
            self._clockwork()
            self._apply(await self._stored())
            with self.supervisor.guard("stream"):
                self._beat()

    async def _stored(self) -> list[Frame]:
        """Return what has arrived, once it is on the disk."""
        frames = self.inbox.take()
        if frames:
            await self._keep(frames)
        return frames

    def _clockwork(self) -> None:
        """Say what time says: ticks, and lamps that turn because of silence."""
        at = steady()
        if at >= self._checked + CHECK:
            self._checked = at
            self._discipline.check(max(desk.now for desk in self.desks.values()))
            for link in self.status.check(now()):
                self.inbox.put_control(link)
        if at >= self._ticked + TICK:
            self._ticked = at
            self.inbox.put_control(ClockTick(now()))

    async def _keep(self, frames: list[Frame]) -> None:
        """Store a batch before anyone reads it. A disk that refuses stops the recording only.

        It is asked again every few seconds; what came meanwhile is a hole in the record.
        """
        at = asyncio.get_running_loop().time()
        if self.store is None or at < self._refused:
            return
        try:
            missed = await asyncio.to_thread(_append, self.store, frames)
        except StoreError as why:
            self._refused = at + AGAIN
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
        """Say what was lost, and mend the book until it stands again."""
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
        """Ask for the whole book in the venue's own way until it is live again."""
        name, _, symbol = market.partition(":")
        backoff = Backoff()
        await self.rests[name].opened.wait()
        while self._book(market) != "live":
            self.status.counts[name, "book snapshots"] += 1
            how = self.rests[name].venue.snapshot(symbol)
            if isinstance(how, Poll):
                await self._once(self.rests[name], how)
            else:
                self._put_control(name, market, how)
            await asyncio.sleep(MEND + backoff.next())
        self._resyncing.discard(market)

    def _book(self, market: str) -> str:
        """Return the state of a market's book; a coin nobody asks for any more needs none."""
        coin = self.feed.coins.get(market, "")
        desk = self.desks.get(coin)
        return desk.markets[market].book.status if desk and market in desk.markets else "live"

    def _put_control(self, name: str, market: str, messages: tuple[bytes, ...]) -> None:
        """Send messages over the socket that carries a market's book."""
        for keeper in self.keepers:
            carried = {(c.market, c.kind) for c in keeper.stream.channels}
            if keeper.venue == name and (market, "book") in carried:
                keeper.send(messages)


def _append(store: Store, frames: list[Frame]) -> int:
    """Store a batch, and before it the hole that was left; return how many frames that is."""
    missed = frames[0].seq - 1 - store.last
    store.append(frames, "the disk refused")
    return missed
