"""Latency from an event at a venue to a column on the page's socket, end to end.

Simulated venues and `up` run in a process each; this process acts as the page, with the same stream
and requests. The latency of a moment is the time until the first column arrives whose `as_of` is at
or after it. Everything runs on one machine, so there is one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import numpy as np

from powderkeg.bench.reference import reference_ms
from powderkeg.live.collector import READY_TIMEOUT

RATE: Final = 5_000
COINS: Final = ("BTC", "ETH", "SOL")
WARM: Final = 10.0
"""Seconds left out at the beginning."""
SECONDS: Final = 30.0
READY: Final = 180.0
LATE: Final = "bitget"
"""The venue whose markets join late, where that is asked for."""
STEP: Final = 0.010
"""Seconds between the moments that are followed."""


async def run_latency(
    rate: int = RATE, seconds: float = SECONDS, *, late: bool = False
) -> dict[str, Any]:
    """Return the measurements.

    Args:
        rate: Messages per second.
        seconds: How long to watch.
        late: Let one venue's markets join while it is watched: until then it answers nothing.
    """
    unit = reference_ms()
    began = time.monotonic()
    async with joining_late(rate, seconds) if late else up(rate) as (url, pid):
        first = await ready(url, began)
        await asyncio.sleep(WARM)
        cpu, at = cpu_of(pid), time.monotonic()
        before = _health(url)
        delays, columns = await _watch(url, seconds)
        share = (cpu_of(pid) - cpu) / (time.monotonic() - at)
        after = _health(url)
        joined = {m for m, state in after["feed"]["markets"].items() if state == "up"}
        sent = _events(after) - _events(before)
        rss = rss_of(pid)
    p50, p99 = (float(np.percentile(delays, q)) for q in (50, 99))
    worst = after["feed"]["lag"]["worst"] * 1000
    return {
        "reference_ms": round(unit, 2), "p50_per_reference": round(p50 / unit, 2),
        "p99_per_reference": round(p99 / unit, 2), "stall_per_reference": round(worst / unit, 2),
        "stall_ms": round(worst, 1), "markets_up": len(joined),
        "venues": 6, "coins": len(COINS), "rate_wanted": rate,
        "events_per_s": round(sent / seconds), "columns_per_s": round(columns / seconds, 1),
        "p50_ms": round(p50, 1), "p99_ms": round(p99, 1),
        "max_ms": round(float(max(delays)), 1),
        "rss_mb": round(rss / 1e6), "cpu_share": round(share, 3),
        "waiting_frames": after["feed"]["waiting_frames"],
        "unread_frames": after["feed"]["unread_frames"],
        "first_coin_s": round(first["first"], 1), "all_ready_s": round(first["all"], 1),
    }  # fmt: skip


@contextlib.asynccontextmanager
async def up(rate: int, coins: tuple[str, ...] = COINS) -> AsyncGenerator[tuple[str, int]]:
    """Run ``demo`` at a rate; yield its address and process id."""
    command = ["powderkeg", "demo", *coins, "--port", "0", "--json-ready", "--rate", str(rate)]
    async with _started(command) as (message, pid):
        yield message["url"], pid


@contextlib.asynccontextmanager
async def joining_late(rate: int, seconds: float) -> AsyncGenerator[tuple[str, int]]:
    """Run ``up`` against simulated venues of which one is silent until it is watched."""
    venues = ["powderkeg.simvenues", "--coins", *COINS, "--rate", str(rate), "--with-parent"]
    async with _started(venues) as (simulated, _):
        fault = {"venue": LATE, "fault": "http_429", "seconds": READY_TIMEOUT + WARM + seconds / 3}
        async with aiohttp.ClientSession() as session:
            await session.post(f"{simulated['control']}/faults", json=fault)
        hosts = ",".join(f"{name}={host}" for name, host in simulated["hosts"].items())
        command = ["powderkeg", "up", *COINS, "--hosts", hosts, "--port", "0", "--json-ready"]
        async with _started(command) as (message, pid):
            yield message["url"], pid


@contextlib.asynccontextmanager
async def _started(command: list[str]) -> AsyncGenerator[tuple[dict[str, Any], int]]:
    """Run a module; yield the first JSON it prints, and its process id."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdin=pipe, stdout=pipe
    )
    try:
        if process.stdout is None:
            raise RuntimeError("expected the server's output")
        line = await process.stdout.readline()
        yield json.loads(line), process.pid
    finally:
        process.terminate()
        await process.wait()


async def ready(url: str, began: float) -> dict[str, float]:
    """Wait until every market's history is played; return when, in s."""
    first, coins = 0.0, {"progress": ""}
    end = time.monotonic() + READY
    while time.monotonic() < end:
        coins = await asyncio.to_thread(_get, f"{url}v1/coins")
        if not first:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_get, f"{url}v1/BTC/bars")
                first = time.monotonic() - began
        if coins["ready"]:
            return {"first": first or time.monotonic() - began, "all": time.monotonic() - began}
        await asyncio.sleep(0.25)
    raise TimeoutError(f"expected markets within {READY:.0f} s, found {coins['progress']!r}")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  our own
        return json.load(answer)


def _health(url: str) -> Any:
    return _get(f"{url}v1/health")


def _events(health: Any) -> int:
    return sum(row["count"] for row in health["feed"]["channels"])


async def _watch(url: str, seconds: float) -> tuple[list[float], int]:
    """Subscribe to BTC; return the delay of every moment in ms, and the number of columns."""
    delays: list[float] = []
    columns = 0
    moment = 0.0
    async with aiohttp.ClientSession() as session:
        address = f"{url.replace('http', 'ws', 1)}v1/stream?coin=BTC&span=1d"
        async with session.ws_connect(address) as socket:
            end = time.time() + seconds
            while time.time() < end:
                message = await socket.receive(timeout=10)
                arrived = time.time()
                message = msgspec.msgpack.decode(message.data)
                if message.get("kind") != "column" or "as_of" not in message:
                    continue
                columns += 1
                stands = message["as_of"] / 1e6
                moment = moment or stands
                while moment <= stands:
                    delays.append((arrived - moment) * 1000)
                    moment += STEP
    return delays, columns


def cpu_of(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_of(pid: int) -> int:
    """Return the bytes a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
