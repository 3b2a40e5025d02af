"""Load of a thousand pages on one server: CPU cost, and delay of the newest column.

The server is `up` on simulated venues in a process of its own, pinned to one core; this process is
all the pages, on another. The cost is the server's CPU with pages less its CPU without. The delay
of a column is from its `as_of` to each page's socket; the fan-out is the part beyond the fastest
page's delay. There is one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from powderkeg.bench.latency import cpu_of, ready, rss_of, up

VIEWERS: Final = 1_000
SECONDS: Final = 20.0
AT_ONCE: Final = 50
"""Sockets opened at the same time."""


class Message(Struct):
    """The fields of a message used here."""

    kind: str
    seq: int = 0
    as_of: int = 0


class Watch:
    """Statistics over all pages."""

    def __init__(self) -> None:
        """Start with zero counts."""
        self.decode = msgspec.msgpack.Decoder(Message).decode
        self.reset()

    def reset(self) -> None:
        """Reset all counts."""
        self.messages = self.bytes = self.missed = 0
        self.delays: list[float] = []
        self.fanout: list[float] = []
        self._first: dict[int, float] = {}

    def take(self, arrived: float, message: Message, size: int, before: int) -> None:
        """Count a message that came to a page whose last number was `before`."""
        self.messages += 1
        self.bytes += size
        if before and message.seq > before + 1:
            self.missed += message.seq - before - 1
        if message.kind == "column":
            self.delays.append((arrived - message.as_of / 1e6) * 1000)
            self.fanout.append((arrived - self._first.setdefault(message.seq, arrived)) * 1000)


class Page(WSListener):
    """One socket."""

    def __init__(self, watch: Watch) -> None:
        """Report messages to `watch`."""
        super().__init__()
        self._watch = watch
        self._seq = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count a frame; a skipped sequence number is a missed message."""
        del transport
        if frame.msg_type != WSMsgType.BINARY:
            return
        arrived = time.time()
        raw = frame.get_payload_as_memoryview()
        message = self._watch.decode(raw)
        if message.kind != "hello":
            self._watch.take(arrived, message, len(raw), self._seq)
            self._seq = message.seq


async def run_viewers(viewers: int = VIEWERS, seconds: float = SECONDS) -> dict[str, Any]:
    """Return the measurements."""
    async with up(0, coins=("BTC",)) as (url, pid):
        await ready(url, time.monotonic())
        _pin(pid, 0)
        _pin(os.getpid(), 1)
        await asyncio.sleep(5)
        alone, small = await _share(pid, seconds), rss_of(pid)
        watch = Watch()
        async with contextlib.AsyncExitStack() as stack:
            began = time.monotonic()
            await _open(stack, url, viewers, watch)
            joined = time.monotonic() - began
            await asyncio.sleep(3)
            watch.reset()
            beside = await _share(pid, seconds)
            large = rss_of(pid)
    return {
        "viewers": viewers, "joined_s": round(joined, 1),
        "columns_per_viewer_s": round(len(watch.delays) / viewers / seconds, 2),
        "messages_per_s": round(watch.messages / seconds),
        "kb_per_s": round(watch.bytes / seconds / 1e3), "missed": watch.missed,
        "cpu_share_alone": round(alone, 3), "cpu_share_with": round(beside, 3),
        "cpu_share_of_viewers": round(beside - alone, 3),
        "p50_ms": _percentile(watch.delays, 50), "p99_ms": _percentile(watch.delays, 99),
        "fanout_p50_ms": _percentile(watch.fanout, 50),
        "fanout_p99_ms": _percentile(watch.fanout, 99),
        "rss_mb_alone": round(small / 1e6), "rss_mb_with": round(large / 1e6),
    }  # fmt: skip


def _percentile(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, share)), 1)


def _pin(pid: int, core: int) -> None:
    """Pin a process to one core, if there are two."""
    if len(os.sched_getaffinity(0)) > 1 or os.cpu_count() == 2:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {core})


async def _open(stack: contextlib.AsyncExitStack, url: str, viewers: int, watch: Watch) -> None:
    """Open the sockets, some at a time."""
    address = f"{url.replace('http', 'ws', 1)}v1/stream?coin=BTC&span=1d"

    async def one() -> None:
        transport, _ = await ws_connect(lambda: Page(watch), address)
        stack.callback(transport.disconnect)

    for first in range(0, viewers, AT_ONCE):
        await asyncio.gather(*(one() for _ in range(min(AT_ONCE, viewers - first))))


async def _share(pid: int, seconds: float) -> float:
    """Return the share of a core a process uses in the coming seconds."""
    before, at = cpu_of(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_of(pid) - before) / (time.monotonic() - at)
