"""The simulated venues, in a process of their own, and the past they let us have recorded."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from powderkeg.errors import ConfigError

START: Final = 120.0
"""Seconds the simulated venues may take to make their past."""
Past = Callable[[str, Path], Awaitable[None]]
"""Takes a coin and the file of its past."""


@contextlib.asynccontextmanager
async def simulated_venues(
    coins: tuple[str, ...], venues: tuple[str, ...], seed: int, rate: int, past: Past | None = None
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
                raise ConfigError("expected the simulated venues to tell their addresses")
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
    said: asyncio.StreamReader, past: Past | None, group: asyncio.TaskGroup
) -> dict[str, str] | None:
    """Read what the venues say until they name their hosts; None where they end before."""
    try:
        async with asyncio.timeout(START):
            while line := await said.readline():
                words: dict[str, Any] = msgspec.json.decode(line)
                if "hosts" in words:
                    return msgspec.convert(words["hosts"], dict[str, str])
                if past is not None:
                    group.create_task(_take(past, words["coin"], Path(words["past"])))
    except TimeoutError:
        raise ConfigError(f"expected simulated venues within {START:.0f} s") from None
    return None


async def _take(past: Past, coin: str, path: Path) -> None:
    await past(coin, path)
