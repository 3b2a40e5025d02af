"""The simulated venues, in a process of their own, and the past they let us have recorded."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from powderkeg.errors import ConfigError

START: Final = 120.0
"""Seconds the simulated venues may take to make their past."""


class Recorder(Protocol):
    """Takes the past of simulated coins."""

    def made(self, coin: str, share: float) -> None:
        """Hear how much of a coin's past is made, 0 to 1."""
        ...

    async def play(self, coin: str, path: Path) -> None:
        """Play the past of a coin, which is in a file."""
        ...


@contextlib.asynccontextmanager
async def simulated_venues(
    coins: tuple[str, ...],
    venues: tuple[str, ...],
    seed: int,
    rate: int,
    past: Recorder | None = None,
) -> AsyncGenerator[dict[str, str]]:
    """Run the simulated venues, and give the hosts they listen on.

    Args:
        coins: To be traded there.
        venues: To be simulated.
        seed: Of the markets.
        rate: Messages per second they send at least.
        past: Given each coin's past as soon as it is there; all of them are waited for.

    Raises:
        ConfigError: They did not start.
    """
    command = [
        sys.executable, "-m", "powderkeg.simvenues", "--with-parent", "--port", "0",
        "--seed", str(seed), "--rate", str(rate), "--coins", *coins, "--venues", *venues,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="powderkeg-past-") as folder:
        recorded = ["--recorded", folder] if past is not None else []
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, *recorded, stdin=pipe, stdout=pipe)
        try:
            if process.stdout is None:
                raise ConfigError("expected the simulated venues to print their addresses")
            async with asyncio.TaskGroup() as group:
                hosts = await _hosts(process.stdout, past, group)
            if hosts is None:
                raise ConfigError(f"expected simulated venues, found exit {await process.wait()}")
            yield hosts
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _hosts(
    said: asyncio.StreamReader, past: Recorder | None, group: asyncio.TaskGroup
) -> dict[str, str] | None:
    """Read what the venues say until they name their hosts; None where they end before."""
    try:
        async with asyncio.timeout(START):
            while line := await said.readline():
                words: dict[str, Any] = msgspec.json.decode(line)
                if "hosts" in words:
                    return msgspec.convert(words["hosts"], dict[str, str])
                if past is None:
                    continue
                past.made(words["coin"], words.get("share", 1.0))
                if "past" in words:
                    group.create_task(past.play(words["coin"], Path(words["past"])))
    except TimeoutError:
        raise ConfigError(f"expected simulated venues within {START:.0f} s") from None
    return None
