"""Runs the simulated venues in a process of their own, and receives their history."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from powderkeg.errors import ConfigError

START: Final = 120.0
"""Seconds the simulated venues may take to generate their history."""


class Recorder(Protocol):
    """Receives the history of simulated coins."""

    def set_generated(self, coin: str, share: float) -> None:
        """Record how much of a coin's history is generated, 0 to 1."""
        ...

    async def play(self, coin: str, path: Path) -> None:
        """Play the history of a coin from a file."""
        ...


@contextlib.asynccontextmanager
async def simulated_venues(
    coins: tuple[str, ...],
    venues: tuple[str, ...],
    seed: int,
    rate: int,
    past: Recorder | None = None,
    options: Sequence[str] = (),
) -> AsyncGenerator[dict[str, str]]:
    """Run the simulated venues, and yield the hosts they listen on.

    Args:
        coins: Coins they trade.
        venues: Venues to simulate.
        seed: Seed of the markets.
        rate: Least messages per second they send.
        past: Receives each coin's history as soon as it is there; all of them are awaited.
        options: Further options of theirs.

    Raises:
        ConfigError: They did not start.
    """
    command = [
        sys.executable, "-m", "powderkeg.simvenues", "--with-parent", "--port", "0",
        "--seed", str(seed), "--rate", str(rate), "--coins", *coins, "--venues", *venues,
        *options,
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
    stdout: asyncio.StreamReader, past: Recorder | None, group: asyncio.TaskGroup
) -> dict[str, str] | None:
    """Read the output of the venues up to their hosts; None if they end before."""
    try:
        async with asyncio.timeout(START):
            while line := await stdout.readline():
                message: dict[str, Any] = msgspec.json.decode(line)
                if "hosts" in message:
                    return msgspec.convert(message["hosts"], dict[str, str])
                if past is None:
                    continue
                past.set_generated(message["coin"], message.get("share", 1.0))
                if "past" in message:
                    group.create_task(past.play(message["coin"], Path(message["past"])))
    except TimeoutError:
        raise ConfigError(f"expected simulated venues within {START:.0f} s") from None
    return None
