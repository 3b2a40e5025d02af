"""What a store needs as time passes: sealed hours, proofs, room on the disk, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from powderkeg.errors import ConfigError, DataError, GapError, PowderkegError, StoreError
from powderkeg.feed import Feed
from powderkeg.frames import Frame
from powderkeg.history import snapshots
from powderkeg.live.clock import now
from powderkeg.live.future import Future
from powderkeg.live.run import Collector
from powderkeg.live.tell import tell
from powderkeg.settings import Settings
from powderkeg.store.columns import Columns
from powderkeg.store.folder import Store

EVERY: Final = 60.0
"""Seconds between looks."""
SNAPSHOT: Final = 15
"""Looks between snapshots."""
PART: Final = "desks"
MEANING: Final = ("instruments", "fundingInfo")
"""Answers that tell what sizes and rates mean."""


class Gatherer:
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
        feed.take(self._known.values())
        for batch in frames():
            feed.take(batch)


def save(store: Store, feed: Feed) -> None:
    """Keep what the desks and readers know, with the number of the last frame in it."""
    store.states.save(PART, feed.seq, snapshots.pack_feed(feed))


def resume(store: Store, feed: Feed) -> str:
    """Bring a fresh feed to where the stored frames end; return what could not be reused.

    The newest snapshot, and all frames after it. Whatever is not known after that is asked of the
    venues again.
    """
    future = Future(now())
    try:
        saved = store.states.load(PART)
        if saved is not None:
            future.recall(feed, saved[1])
        for batch in store.read(feed.seq):
            feed.take(future.without(frame for frame in batch if frame.seq > feed.seq))
    except (GapError, ConfigError, DataError, StoreError) as why:
        return f"stored history is not used: {why}"
    return f"stored history is not used in full: {future.words}" if future.words else ""


class Keep:
    """The housekeeping of one store."""

    def __init__(self, store: Store, collector: Collector, settings: Settings) -> None:
        """Look after `store` while `collector` runs."""
        self._store = store
        self._collector = collector
        self._settings = settings
        self._gather = Gatherer()

    async def run(self) -> None:
        """Look now and then until cancelled, and take a last snapshot."""
        looks = 0
        try:
            while True:
                await asyncio.sleep(EVERY)
                looks += 1
                await self.look(snapshot=looks % SNAPSHOT == 0)
        finally:
            try:
                self._snapshot()
            except StoreError as why:
                self._tell(why)

    async def look(self, *, snapshot: bool) -> None:
        """Seal what is over, delete what there is no room for, keep proofs, snapshot if due."""
        try:
            await self._prove()
        except PowderkegError as why:  # the rest is to be done all the same
            self._tell(why)
        try:
            for hour in self._store.ready(now() - round(EVERY * 1e6)):
                await asyncio.to_thread(self._store.seal, hour, self._gather)
            await asyncio.to_thread(self._store.prune, self._settings.disk)
            if snapshot:
                self._snapshot()
        except PowderkegError as why:
            self._tell(why)

    async def _prove(self) -> None:
        """Keep every market's map once an hour, and of hours that are over what became of it.

        The hour is that of the events, not of a clock. A market that still waits for its past is
        not yet asked.
        """
        if not self._collector.recording:
            return
        proofs, waiting = self._store.proofs, set(self._collector.feed.waiting)
        await asyncio.to_thread(proofs.begin)
        due = [
            entry
            for desk in self._collector.desks.values()
            for known in desk.estimated()
            if known.name not in waiting
            for entry in proofs.due(known, desk.now)
        ]
        await asyncio.to_thread(proofs.append, due)
        while proofs.notes:
            tell(proofs.notes.pop(0))

    def _tell(self, why: PowderkegError) -> None:
        self._collector.status.problems["store"] = str(why)
        tell(str(why))

    def _snapshot(self) -> None:
        """Keep the desks as they are; not while one still waits for its past."""
        if self._collector.recording and self._collector.ready:
            save(self._store, self._collector.feed)
