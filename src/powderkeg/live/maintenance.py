"""Periodic maintenance of the store: seal hours, record forecasts, prune, take snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from powderkeg.errors import ConfigError, DataError, PowderkegError, StoreError
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Frame
from powderkeg.history import snapshots
from powderkeg.live.collector import Collector
from powderkeg.live.memory import release_memory
from powderkeg.live.timekeeping.clock import now
from powderkeg.live.timekeeping.future import FutureFilter
from powderkeg.log import get_logger
from powderkeg.settings import Settings
from powderkeg.store.event_columns import Columns
from powderkeg.store.folder import Store
from powderkeg.store.journal import PREVIOUS

log = get_logger("live")

EVERY: Final = 60.0
"""Seconds between runs."""
SNAPSHOT: Final = 15
"""Runs between snapshots, at most."""
FRAMES: Final = 250_000
"""Frames after which a snapshot is taken earlier: a restart replays them in some 7 s."""
REPLAYED: Final = 5_000_000
"""Frames replayed at a start at most, in some 130 s; beyond that, a backfill is faster."""
MAX_REASONS: Final = 3
"""Problems of a store that are listed; the rest is counted."""
PART: Final = "desks"
MEANING: Final = ("instruments", "fundingInfo")
"""Channels that define the units of sizes and rates."""


class SegmentBuilder:
    """Decodes recorded hours, one after another, with fresh readers for each.

    Readers get the instruments first, wherever in the hour they are: without them the sizes of
    earlier frames would mean nothing. Instruments are requested once an hour, so an hour may hold
    none; then those of the hour before are used.
    """

    def __init__(self) -> None:
        """Start without instruments."""
        self._known: dict[tuple[str, str], Frame] = {}

    def __call__(self, frames: Callable[[], Iterator[list[Frame]]], columns: Columns) -> None:
        """Add the events of an hour's frames to `columns`."""
        feed = Feed({}, columns.add)
        found: dict[tuple[str, str], Frame] = {}
        for frame in (frame for batch in frames() for frame in batch):
            if frame.channel in MEANING:
                found.setdefault((frame.venue, frame.channel), frame)
        self._known |= found
        feed.process(self._known.values())
        for batch in frames():
            feed.process(batch)


def save(store: Store, feed: Feed) -> None:
    """Store a snapshot of desks and readers, with the number of the last frame in it."""
    store.states.save(PART, feed.seq, snapshots.pack_feed(feed))


def resume(store: Store, feed: Feed) -> str:
    """Bring a fresh feed to the end of the stored frames; return what could not be used.

    Loads the newest readable snapshot and replays all frames after it, or all frames. Damaged or
    missing frames are skipped and become a gap. What is still missing is backfilled.
    """
    problems: list[str] = []
    future = FutureFilter(now())
    try:
        _load_snapshot(store, feed, future, problems)
        after = store.last - max(feed.seq, store.first - 1)
        if after > REPLAYED:
            return _summary([*problems, f"{after} frames are more than are read again"])
        for batch in store.read(feed.seq, problems.append):
            feed.process(future.exclude(frame for frame in batch if frame.seq > feed.seq))
    except StoreError as why:
        problems.append(str(why))
    return _summary([*problems, *filter(None, [future.summary])])


def _load_snapshot(store: Store, feed: Feed, future: FutureFilter, problems: list[str]) -> None:
    """Load the newest readable snapshot; report what is wrong with the others."""
    for part in (PART, PART + PREVIOUS):
        try:
            saved = store.states.load(part)
            if saved is None:
                continue
            future.restore(feed, saved[1])
        except (ConfigError, DataError) as why:
            problems.append(str(why))
        else:
            return


def _summary(reasons: list[str]) -> str:
    """Return what could not be used, in one line."""
    if not reasons:
        return ""
    more = f"; and {len(reasons) - MAX_REASONS} more" if len(reasons) > MAX_REASONS else ""
    return f"stored history is not used in full: {'; '.join(reasons[:MAX_REASONS])}{more}"


class StoreMaintenance:
    """Maintenance of one store."""

    def __init__(self, store: Store, collector: Collector, settings: Settings) -> None:
        """Maintain `store` while `collector` runs."""
        self._store = store
        self._collector = collector
        self._settings = settings
        self._build_segment = SegmentBuilder()
        self._runs = 0
        """Since the last snapshot."""
        self._saved = 0
        """Number of the last frame in it."""
        self._freed = 0
        """Bytes deleted and not yet logged."""
        self._report_at = 0.0
        """Loop time at which deletions are logged next."""

    async def run(self) -> None:
        """Run periodically until cancelled, then take a last snapshot."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                self._runs += 1
                await self.run_once(snapshot=self._snapshot_due())
        finally:
            try:
                if self._can_snapshot():
                    save(self._store, self._collector.feed)
            except StoreError as why:
                self._report_failure(why)

    def _snapshot_due(self) -> bool:
        """Return whether a snapshot is due, by time or by the frames a restart would replay."""
        return self._runs >= SNAPSHOT or self._collector.feed.seq - self._saved >= FRAMES

    async def run_once(self, *, snapshot: bool) -> None:
        """Record forecasts, seal finished hours, prune, and take a snapshot if due.

        An error in one step does not stop the others.
        """
        works = [
            self._record_forecasts,
            self._seal,
            self._prune,
            *([self._snapshot] if snapshot else []),
        ]
        failed = False
        for work in works:
            try:
                await work()
            except PowderkegError as why:
                failed = True
                self._report_failure(why)
        if not failed and self._collector.recording:
            self._collector.status.problems.pop("store", None)
        self.report()

    def report(self) -> None:
        """Log what the store found damaged or missing; `problems` keeps the last of it."""
        while self._store.notes:
            words = self._store.notes.pop(0)
            self._collector.status.problems["record"] = words
            log.warning("recording_damaged", reason=words)

    async def _seal(self) -> None:
        for hour in self._store.ready(now() - round(EVERY * 1e6)):
            await asyncio.to_thread(self._store.seal, hour, self._build_segment)

    async def _prune(self) -> None:
        """Keep to the disk budget; deletions are logged once an hour at most."""
        self._freed += await asyncio.to_thread(self._store.prune, self._settings.disk)
        since = await asyncio.to_thread(lambda: self._store.since)
        self._collector.status.recorded_since = since or None
        at = asyncio.get_running_loop().time()
        if self._freed and at >= self._report_at:
            self._report_at = at + 3600
            log.info("oldest_hours_deleted", bytes=self._freed, disk=self._settings.disk)
            self._freed = 0

    async def _record_forecasts(self) -> None:
        """Record every market's map once an hour, and the outcome of finished hours.

        The hour is that of the events, not of a clock. Markets still waiting for their backfill are
        left out.
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

    def _report_failure(self, why: PowderkegError) -> None:
        self._collector.status.problems["store"] = str(why)
        log.error("store_failed", reason=str(why))

    def _can_snapshot(self) -> bool:
        """Return whether the desks are complete: not while one still waits for its backfill."""
        return self._collector.recording and self._collector.ready

    async def _snapshot(self) -> None:
        """Store a snapshot of the desks: copied here, packed and written in a thread."""
        if not self._can_snapshot():
            return
        feed = self._collector.feed
        seq, copied = feed.seq, snapshots.copy_feed(feed)
        await asyncio.to_thread(_write, self._store, seq, copied)
        self._saved, self._runs = seq, 0


def _write(store: Store, seq: int, copied: Any) -> None:
    store.states.save(PART, seq, snapshots.pack_copy(copied))
    release_memory()
