"""What a store needs as time passes: sealed hours, proofs, room on the disk, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from powderkeg.errors import ConfigError, DataError, PowderkegError, StoreError
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Frame
from powderkeg.history import snapshots
from powderkeg.live.collector import Collector
from powderkeg.live.memory import give_back
from powderkeg.live.timekeeping.clock import now
from powderkeg.live.timekeeping.future import Future
from powderkeg.log import get_logger
from powderkeg.settings import Settings
from powderkeg.store.event_columns import Columns
from powderkeg.store.folder import Store
from powderkeg.store.journal import PREVIOUS

log = get_logger("live")

EVERY: Final = 60.0
"""Seconds between looks."""
SNAPSHOT: Final = 15
"""Looks between snapshots, at most."""
FRAMES: Final = 250_000
"""Frames after which a snapshot is taken before that: a restart reads them in some 7 s."""
REPLAYED: Final = 5_000_000
"""Frames that a start reads again at most, in some 130 s; beyond, the venues are faster."""
SAID: Final = 3
"""Troubles with a store that are told in words; more are counted."""
PART: Final = "desks"
MEANING: Final = ("instruments", "fundingInfo")
"""Answers that tell what sizes and rates mean."""


class SegmentBuilder:
    """Reads hours of frames, one after another, with fresh readers for each.

    Readers are told the instruments first, wherever in the hour they stand: without them the sizes
    of the frames before would mean nothing. They are asked for once an hour, so that an hour may
    hold none; then those of the hour before serve.
    """

    def __init__(self) -> None:
        """Know no instruments yet."""
        self._known: dict[tuple[str, str], Frame] = {}

    def __call__(self, frames: Callable[[], Iterator[list[Frame]]], columns: Columns) -> None:
        """Take the events of an hour's frames as columns."""
        feed = Feed({}, columns.add)
        told: dict[tuple[str, str], Frame] = {}
        for frame in (frame for batch in frames() for frame in batch):
            if frame.channel in MEANING:
                told.setdefault((frame.venue, frame.channel), frame)
        self._known |= told
        feed.process(self._known.values())
        for batch in frames():
            feed.process(batch)


def save(store: Store, feed: Feed) -> None:
    """Keep what the desks and readers know, with the number of the last frame in it."""
    store.states.save(PART, feed.seq, snapshots.pack_feed(feed))


def resume(store: Store, feed: Feed) -> str:
    """Bring a fresh feed to where the stored frames end; return what could not be used.

    The newest snapshot that can be read, and all frames after it, or all frames there are. What is
    damaged or missing is stepped over; the desks then know of a gap. Whatever is not known after
    that is asked of the venues again.
    """
    told: list[str] = []
    future = Future(now())
    try:
        _recall(store, feed, future, told)
        after = store.last - max(feed.seq, store.first - 1)
        if after > REPLAYED:
            return _words([*told, f"{after} frames are more than are read again"])
        for batch in store.read(feed.seq, told.append):
            feed.process(future.without(frame for frame in batch if frame.seq > feed.seq))
    except StoreError as why:
        told.append(str(why))
    return _words([*told, *filter(None, [future.words])])


def _recall(store: Store, feed: Feed, future: Future, told: list[str]) -> None:
    """Take the newest snapshot that can be read; say what is wrong with those that cannot."""
    for part in (PART, PART + PREVIOUS):
        try:
            saved = store.states.load(part)
            if saved is None:
                continue
            future.recall(feed, saved[1])
        except (ConfigError, DataError) as why:
            told.append(str(why))
        else:
            return


def _words(told: list[str]) -> str:
    """Return what could not be used in one line, however much it is."""
    more = f"; and {len(told) - SAID} more" if len(told) > SAID else ""
    return f"stored history is not used in full: {'; '.join(told[:SAID])}{more}" if told else ""


class StoreMaintenance:
    """The housekeeping of one store."""

    def __init__(self, store: Store, collector: Collector, settings: Settings) -> None:
        """Look after `store` while `collector` runs."""
        self._store = store
        self._collector = collector
        self._settings = settings
        self._gather = SegmentBuilder()
        self._looks = 0
        """Since the last snapshot."""
        self._saved = 0
        """Number of the last frame in it."""
        self._freed = 0
        """Bytes deleted that were not told yet."""
        self._told = 0.0
        """Time of the loop at which deletions are told next."""

    async def run(self) -> None:
        """Look now and then until cancelled, and take a last snapshot."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                self._looks += 1
                await self.run_once(snapshot=self._due())
        finally:
            try:
                if self._whole():
                    save(self._store, self._collector.feed)
            except StoreError as why:
                self._tell(why)

    def _due(self) -> bool:
        """Tell whether a snapshot is due: by time, or by the frames a restart would read again."""
        return self._looks >= SNAPSHOT or self._collector.feed.seq - self._saved >= FRAMES

    async def run_once(self, *, snapshot: bool) -> None:
        """Seal what is over, delete what there is no room for, keep proofs, snapshot if due.

        Whatever one of them meets, the others are done all the same.
        """
        works = [self._prove, self._seal, self._prune, *([self._snapshot] if snapshot else [])]
        failed = False
        for work in works:
            try:
                await work()
            except PowderkegError as why:
                failed = True
                self._tell(why)
        if not failed and self._collector.recording:
            self._collector.status.problems.pop("store", None)
        self.report()

    def report(self) -> None:
        """Tell once what the store found damaged or missing; `problems` keeps the last of it."""
        while self._store.notes:
            words = self._store.notes.pop(0)
            self._collector.status.problems["record"] = words
            log.warning("recording_damaged", reason=words)

    async def _seal(self) -> None:
        for hour in self._store.ready(now() - round(EVERY * 1e6)):
            await asyncio.to_thread(self._store.seal, hour, self._gather)

    async def _prune(self) -> None:
        """Keep to the disk budget; what was deleted is told once an hour at most."""
        self._freed += await asyncio.to_thread(self._store.prune, self._settings.disk)
        at = asyncio.get_running_loop().time()
        if self._freed and at >= self._told:
            self._told = at + 3600
            log.info("oldest_hours_deleted", bytes=self._freed, disk=self._settings.disk)
            self._freed = 0

    async def _prove(self) -> None:
        """Keep every market's map once an hour, and of hours that are over what became of it.

        The hour is that of the events, not of a clock. A market that still waits for its past is
        not yet asked.
        """
        if not self._collector.recording:
            return
        forecasts, waiting = self._store.forecasts, set(self._collector.feed.waiting)
        await asyncio.to_thread(forecasts.open_tail)
        due = [
            entry
            for desk in self._collector.desks.values()
            for known in desk.estimated()
            if known.name not in waiting
            for entry in forecasts.pending(known, desk.now)
        ]
        await asyncio.to_thread(forecasts.append, due)
        while forecasts.notes:
            log.warning("ledger_repaired", reason=forecasts.notes.pop(0))

    def _tell(self, why: PowderkegError) -> None:
        self._collector.status.problems["store"] = str(why)
        log.error("store_failed", reason=str(why))

    def _whole(self) -> bool:
        """Tell whether the desks may be kept: not while one still waits for its past."""
        return self._collector.recording and self._collector.ready

    async def _snapshot(self) -> None:
        """Keep the desks as they are. Copied here, packed and written beside the loop."""
        if not self._whole():
            return
        feed = self._collector.feed
        seq, copied = feed.seq, snapshots.copy_feed(feed)
        await asyncio.to_thread(_write, self._store, seq, copied)
        self._saved, self._looks = seq, 0


def _write(store: Store, seq: int, copied: Any) -> None:
    store.states.save(PART, seq, snapshots.pack_copy(copied))
    give_back()
