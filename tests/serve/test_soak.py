"""A server watched and asked for hours: nothing is lost, nothing is kept that is over.

The short form takes two minutes; ``POWDERKEG_SOAK=86400`` (seconds) is the long one, in which the
memory after the first hour decides.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = float(os.environ.get("POWDERKEG_SOAK", "60"))
HOUR = 3600.0
COINS = ("BTC", "ETH") if SECONDS < HOUR else ("BTC", "ETH", "SOL")
EXPORTS = (
    "heatmap.csv?span=1d", "heatmap.parquet?span=30d", "levels.csv", "heatmap.png?width=800",
    "heatmap?span=30d&planes=tiers", "heatmap?span=3d", "levels?bands=1", "accumulated",
)  # fmt: skip
READY_WITHIN = 240.0
"""Seconds in which a server is ready, or calm again, on a machine that does much else."""
SLOPE = 1e6 / HOUR
"""Bytes a second that memory may grow by after the first hour."""
ROUGH = 120e6
"""Bytes that may come in the short form: what two minutes bring is warm-up as well as a leak."""
FDS = 8
"""Descriptors more than at the beginning: sockets that are just being closed."""

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(SECONDS + 3 * READY_WITHIN),
    pytest.mark.skipif(
        not Path("/proc/self/fd").exists(), reason="the kernel tells no descriptors"
    ),
]


class Server:
    """A demo in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._proc = Path(f"/proc/{process.pid}")

    @property
    def memory(self) -> int:
        return int((self._proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        return len(list((self._proc / "fd").iterdir()))


@pytest.fixture
def server() -> Iterator[Server]:
    command = [sys.executable, "-m", "powderkeg", "demo", *COINS, "--port", "0", "--json-ready"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(process, json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


async def _json(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as answer:
        assert answer.status == 200
        return await answer.json()


async def _view(http: aiohttp.ClientSession, url: str, chance: random.Random) -> None:
    """Watch maps for a while, one after another."""
    while True:
        coin, span = chance.choice(COINS), chance.choice(("1h", "1d", "3d", "30d"))
        async with http.ws_connect(f"{url}v1/stream?coin={coin}&span={span}") as socket:
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0.2, 6)):
                    async for _ in socket:
                        pass


async def _export(http: aiohttp.ClientSession, url: str, chance: random.Random) -> None:
    """Take things away, and leave before every third is there."""
    while True:
        asked = f"{url}v1/{chance.choice(COINS)}/{chance.choice(EXPORTS)}"
        patience = 0.05 if chance.random() < 1 / 3 else 60
        with suppress(TimeoutError):
            async with asyncio.timeout(patience), http.get(asked) as answer:
                assert answer.status in (200, 429), await answer.text()
                await answer.read()
        await asyncio.sleep(chance.uniform(0, 2))


async def _feed(http: aiohttp.ClientSession, server: Server) -> Any:
    return (await _json(http, f"{server.url}v1/health"))["feed"]


def _calm(feed: Any, server: Server, descriptors: int) -> bool:
    """Whether every market is up and the sockets of those who left are closed."""
    up = set(feed["markets"].values()) == {"up"}
    return up and server.descriptors <= descriptors + FDS


async def test_viewers_and_exports_come_and_go_and_leave_nothing_behind(server):
    async with aiohttp.ClientSession() as http:
        async with asyncio.timeout(READY_WITHIN):
            while not (await _json(http, f"{server.url}v1/coins"))["ready"]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        await asyncio.sleep(5)
        first, samples = server.descriptors, []
        chance = random.Random(11)
        crowd = [
            asyncio.ensure_future(what(http, server.url, chance))
            for what in (_view, _view, _view, _export, _export)
        ]
        end = asyncio.get_running_loop().time() + SECONDS
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(5.0, left))
            samples.append((SECONDS - left, server.memory))
            assert not any(task.done() for task in crowd), crowd
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        end = asyncio.get_running_loop().time() + READY_WITHIN
        while not _calm(feed := await _feed(http, server), server, first):
            assert asyncio.get_running_loop().time() < end, (feed["markets"], server.descriptors)
            await asyncio.sleep(0.5)
    assert feed["problems"] == {}
    assert not any("restarts" in counts for counts in feed["incidents"].values())
    times, memory = np.array(samples).T
    settled = times > HOUR
    if settled.sum() > 100:
        assert np.polyfit(times[settled], memory[settled], 1)[0] <= SLOPE
    else:
        assert server.memory - memory[0] < ROUGH
