"""Thread workers for answers, so that the loop that reads the venues is never blocked.

Two lanes, each first in first out: a short answer never waits behind a long one. Equal queries
share one answer, which is cancelled once all its clients have left.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from powderkeg.errors import BusyError
from powderkeg.live.memory import release_memory
from powderkeg.live.network.semaphore import PrioritySemaphore

T = TypeVar("T")
Lane: TypeAlias = Literal["short", "long"]
WAITING: Final[dict[Lane, int]] = {"short": 256, "long": 16}
"""Answers that may wait in each lane; more are rejected."""

RELEASE_AFTER: Final = 5.0
"""Seconds after the last long answer until freed memory is returned to the system."""


async def beside(work: Callable[..., T], *args: Any) -> T:
    """Return the result of `work`, called in a thread.

    A cancelled caller still waits for the thread, which cannot be stopped: its slot in a lane must
    not be given away before it is done.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class _Shared(Struct, eq=False):
    """An answer being computed, and how many wait for it."""

    task: asyncio.Task[Any]
    waiting: int = 0


class Workers:
    """The two lanes, and the answers being computed."""

    def __init__(self) -> None:
        """Start idle."""
        self._lanes: dict[Lane, PrioritySemaphore] = {
            "short": PrioritySemaphore(1),
            "long": PrioritySemaphore(1),
        }
        self._pending: Counter[Lane] = Counter()
        self._shared: dict[Hashable, _Shared] = {}
        self._release_timer: asyncio.TimerHandle | None = None
        """Releases memory once the long lane has been idle for a while."""

    @asynccontextmanager
    async def turn(self, lane: Lane, *, always: bool = False) -> AsyncGenerator[None]:
        """Wait for a slot in a lane, and hold it.

        Raises:
            BusyError: Too many wait already; never with `always`.
        """
        if self._pending[lane] >= WAITING[lane] and not always:
            raise BusyError(f"expected at most {WAITING[lane]} such questions at once: ask later")
        self._pending[lane] += 1
        try:
            async with self._lanes[lane].slot(0):
                yield
        finally:
            self._pending[lane] -= 1
            if lane == "long":
                self._schedule_release()

    def _schedule_release(self) -> None:
        """Release memory once the long lane has been idle for a while."""
        if self._release_timer is not None:
            self._release_timer.cancel()
        loop = asyncio.get_running_loop()
        self._release_timer = loop.call_later(
            RELEASE_AFTER, lambda: loop.run_in_executor(None, release_memory)
        )

    async def once(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `work`, shared with concurrent calls of the same key.

        It is cancelled once nobody waits for it any more.
        """
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(asyncio.ensure_future(work()))
            shared.task.add_done_callback(lambda _: self._forget(key, shared))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                self._forget(key, shared)
                shared.task.cancel()

    def _forget(self, key: Hashable, shared: _Shared) -> None:
        if self._shared.get(key) is shared:
            del self._shared[key]
