"""Work beside the loop that reads the venues: answers are computed in threads, few at a time.

Two lanes, each in the order of asking: a short answer never waits behind a long one. Equal
questions share one answer, and nothing goes on for clients that have all left.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias, TypeVar

from msgspec import Struct

from powderkeg.errors import BusyError
from powderkeg.live.memory import give_back
from powderkeg.live.network.semaphore import Gate

T = TypeVar("T")
Lane: TypeAlias = Literal["short", "long"]
WAITING: Final[dict[Lane, int]] = {"short": 256, "long": 16}
"""Answers that may wait for their turn in each lane; more are turned away."""

REST: Final = 5.0
"""Seconds after the last long answer until the memory they took is given back."""


async def beside(work: Callable[..., T], *args: Any) -> T:
    """Return what `work` returns, called in a thread.

    Whoever is cancelled meanwhile still waits for the thread: it cannot be stopped, and its place
    in a lane must not be another's before it is done.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class _Shared(Struct, eq=False):
    """An answer in the making, and how many wait for it."""

    task: asyncio.Task[Any]
    waiting: int = 0


class Workers:
    """The two lanes, and what is in the making."""

    def __init__(self) -> None:
        """Have nothing to do yet."""
        self._gates: dict[Lane, Gate] = {"short": Gate(1), "long": Gate(1)}
        self._asked: Counter[Lane] = Counter()
        self._shared: dict[Hashable, _Shared] = {}
        self._rest: asyncio.TimerHandle | None = None
        """Due once the long lane has been empty for a while."""

    @asynccontextmanager
    async def turn(self, lane: Lane, *, always: bool = False) -> AsyncGenerator[None]:
        """Wait for a turn, and hold it.

        Raises:
            BusyError: Too many wait already; never where it is `always` to be done.
        """
        if self._asked[lane] >= WAITING[lane] and not always:
            raise BusyError(f"expected at most {WAITING[lane]} such questions at once: ask later")
        self._asked[lane] += 1
        try:
            async with self._gates[lane].through(0):
                yield
        finally:
            self._asked[lane] -= 1
            if lane == "long":
                self._later()

    def _later(self) -> None:
        """Give memory back once no long answer has been asked for a while."""
        if self._rest is not None:
            self._rest.cancel()
        loop = asyncio.get_running_loop()
        self._rest = loop.call_later(REST, lambda: loop.run_in_executor(None, give_back))

    async def once(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns; who asks the same meanwhile gets the same.

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
