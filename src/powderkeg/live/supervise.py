"""Tasks that begin again after an error: it is told, counted, and reaches nobody else."""

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
    """Restarts tasks by name: a venue's, or a part of ours such as the player of pasts."""

    def __init__(self, health: Health) -> None:
        """Tell `health` what fails: a problem, and ``restarts`` among the incidents."""
        self._health = health
        self._told: set[str] = set()
        """Errors whose traceback was logged."""
        self._guarded: dict[str, str] = {}
        """What was last told of each guarded name."""

    async def keep(
        self, name: str, work: Work, failed: Callable[[str], None] = lambda _: None
    ) -> None:
        """Do `work` until it returns, again and again where it raises.

        Args:
            name: Whose work it is.
            work: What is done.
            failed: Told why, after each error and before the wait.
        """
        backoff, loop, words = Backoff(), asyncio.get_running_loop(), ""
        while True:
            began, calm = loop.time(), loop.call_later(HELD, self._calm, name, words)
            try:
                await work()
            except Exception as why:  # noqa: BLE001  whatever it is, the others go on
                words = self.report(name, why)
                failed(words)
            else:
                self._calm(name, words)
                return
            finally:
                calm.cancel()
            backoff.held(loop.time() - began)
            await asyncio.sleep(backoff.next())

    @contextlib.contextmanager
    def guard(self, name: str) -> Generator[None]:
        """Let an error of what is called from another's task be told and go no further."""
        try:
            yield
        except Exception as why:  # noqa: BLE001  whatever it is, the caller goes on
            self._guarded[name] = self.report(name, why)
        else:
            self._calm(name, self._guarded.pop(name, ""))

    def report(self, name: str, why: Exception) -> str:
        """Count an error, log its traceback the first time, and return it in words."""
        cause = _cause(why)
        words = f"begun again after an error: {type(cause).__name__}: {cause}"[:300]
        self._health.counts[name, "restarts"] += 1
        self._health.problems[name] = words
        where = traceback.extract_tb(cause.__traceback__)[-1:]
        key = f"{name} {type(cause).__name__} {[(at.filename, at.lineno) for at in where]}"
        if key not in self._told:
            self._told.add(key)
            log.error("task_restarted", task=name, reason=words, exc_info=why)
        return words

    def _calm(self, name: str, words: str) -> None:
        """Forget a problem that is over, where nobody has told another since."""
        if words and self._health.problems.get(name) == words:
            del self._health.problems[name]


def _cause(why: BaseException) -> BaseException:
    """Return the first error of a group that is none itself."""
    while isinstance(why, BaseExceptionGroup):
        why = why.exceptions[0]
    return why
