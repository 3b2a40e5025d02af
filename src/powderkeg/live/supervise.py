"""Supervisor that restarts tasks after an error; errors are reported and counted, never spread."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable, Generator
from typing import Final

from powderkeg.live.health import Health
from powderkeg.live.network.backoff import Backoff
from powderkeg.log import get_logger

log = get_logger("live")

HELD: Final = 10.0
"""Seconds a task must run after an error until the problem counts as over."""

Work = Callable[[], Awaitable[None]]


class Supervisor:
    """Restarts tasks by name: a venue's, or a component such as the player."""

    def __init__(self, health: Health) -> None:
        """Report failures to `health`: as a problem, and as ``restarts`` among the incidents."""
        self._health = health
        self._logged: set[str] = set()
        """Errors whose traceback was logged."""
        self._guarded: dict[str, str] = {}
        """Last problem reported for each guarded name."""

    async def run(
        self, name: str, work: Work, failed: Callable[[str], None] = lambda _: None
    ) -> None:
        """Run `work` until it returns, restarting it whenever it raises.

        Args:
            name: Venue or component.
            work: Coroutine function to run.
            failed: Called with the reason after each error, before the wait.
        """
        backoff, loop, words = Backoff(), asyncio.get_running_loop(), ""
        while True:
            began, calm = loop.time(), loop.call_later(HELD, self._resolve, name, words)
            try:
                await work()
            except Exception as why:  # noqa: BLE001  whatever it is, the others keep running
                words = self.report(name, why)
                failed(words)
            else:
                self._resolve(name, words)
                return
            finally:
                calm.cancel()
            backoff.connected_for(loop.time() - began)
            await asyncio.sleep(backoff.next())

    @contextlib.contextmanager
    def guard(self, name: str) -> Generator[None]:
        """Report an error raised inside, and suppress it."""
        try:
            yield
        except Exception as why:  # noqa: BLE001  whatever it is, the caller keeps running
            self._guarded[name] = self.report(name, why)
        else:
            self._resolve(name, self._guarded.pop(name, ""))

    def report(self, name: str, why: Exception) -> str:
        """Count an error, log its traceback the first time, and return it in words."""
        cause = _cause(why)
        words = f"begun again after an error: {type(cause).__name__}: {cause}"[:300]
        self._health.counts[name, "restarts"] += 1
        self._health.problems[name] = words
        where = traceback.extract_tb(cause.__traceback__)[-1:]
        key = f"{name} {type(cause).__name__} {[(at.filename, at.lineno) for at in where]}"
        if key not in self._logged:
            self._logged.add(key)
            log.error("task_restarted", task=name, reason=words, exc_info=why)
        return words

    def _resolve(self, name: str, words: str) -> None:
        """Clear a problem that is over, unless another was reported since."""
        if words and self._health.problems.get(name) == words:
            del self._health.problems[name]


def _cause(why: BaseException) -> BaseException:
    """Return the first error of a group that is not a group itself."""
    while isinstance(why, BaseExceptionGroup):
        why = why.exceptions[0]
    return why
