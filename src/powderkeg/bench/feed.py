"""Throughput of one core: socket bytes stored, decoded and applied to a desk.

CPU seconds of the reading process alone, from the subscription to the last event; the sender is
another process. ccxt.pro reads the same stream in the same run, for comparison.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from powderkeg.desk import Desk
from powderkeg.events import SECOND, Mark, Trade
from powderkeg.feed.decoder import Feed
from powderkeg.feed.drive import drive
from powderkeg.frames import BackfillDone, Started
from powderkeg.live.collector import tune_gc
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.live.network.connection import Connection
from powderkeg.live.timekeeping.clock import now
from powderkeg.settings import Settings
from powderkeg.store.folder import Store
from powderkeg.venues import VENUES

TRADES: Final = 100_000
PER_FRAME: Final = 10
"""Trades per Bybit frame, as in a busy minute of BTCUSDT."""
DEPTH: Final = 20_000
LONGEST: Final = 60.0
"""Seconds a run may take."""


@contextlib.contextmanager
def sender(kind: str, count: int, per_frame: int = 1) -> Generator[int]:
    """Run the sender; yield its port."""
    command = [sys.executable, "-m", "powderkeg.bench.sender", kind, str(count), str(per_frame)]
    with subprocess.Popen(  # noqa: S603  our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("expected pipes to the sender")
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.stdin.close()


def run_feed() -> dict[str, Any]:
    """Return the measurements."""
    burst = _read("bybit", "bybit_trades", TRADES, PER_FRAME)
    single = _read("binance", "binance_trades", TRADES, 1)
    depth = _read("bybit", "bybit_depth", DEPTH, 1)
    return {
        "trades_per_cpu_s": round(burst["trades"] / burst["cpu_s"]),
        "trades_one_a_frame_per_cpu_s": round(single["trades"] / single["cpu_s"]),
        "depth_diffs_per_cpu_s": round(depth["deltas"] / depth["cpu_s"]),
        "sent": TRADES,
        "delivered": burst["trades"],
        "delivered_one_a_frame": single["trades"],
        "book": depth["book"],
        "levels": 50,
        "trades_a_frame": PER_FRAME,
        "recorded_frames": burst["recorded"] + single["recorded"] + depth["recorded"],
        "ccxt_pro": _ccxt(),
    }


def _read(venue: str, kind: str, count: int, per_frame: int) -> dict[str, Any]:
    with sender(kind, count, per_frame) as port, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_listen(venue, kind, count, f"127.0.0.1:{port}", Path(folder)))


async def _listen(venue: str, kind: str, count: int, host: str, folder: Path) -> dict[str, Any]:
    """Read one stream to its end through the live path: socket, store, reader, desk."""
    reader = VENUES[venue].reader("")
    market = f"{venue}:BTCUSDT"
    wanted = "book" if kind == "bybit_depth" else "trades"
    stream = next(
        s for s in reader.streams(("BTCUSDT",)) if any(c.kind == wanted for c in s.channels)
    )
    desk = Desk("BTC", Settings(draw=SECOND, flush=SECOND))
    store, inbox, feed = Store(folder), Inbox(), Feed({"BTC": desk})
    inbox.put_control(Started(now(), {"BTC": (market,)}))
    inbox.put_control(BackfillDone(now(), market, now()))
    connection = Connection(venue, stream, inbox, Health(), {venue: host}, reader.reply)
    if not stream.subscribe:
        connection.stream = stream.__class__(stream.url, stream.channels, (b'{"op":"subscribe"}',))
    _warm()
    tune_gc()
    task = asyncio.ensure_future(connection.run())
    deltas, began = 0, time.process_time()
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        await inbox.wait(0.5)
        await asyncio.sleep(0.010)
        frames = inbox.take()
        await asyncio.to_thread(store.append, frames)
        feed.process(frames)
        deltas = desk.markets[market].book.update if market in desk.markets else 0
        done = deltas - 1 if wanted == "book" else desk.counts.trades
        if done >= count:
            break
    cpu = time.process_time() - began
    task.cancel()
    await asyncio.wait({task})
    book = desk.markets[market].book
    recorded = store.last
    store.close()
    return {
        "cpu_s": cpu, "trades": desk.counts.trades, "deltas": deltas - 1, "recorded": recorded,
        "book": {"status": book.status, **book.counts},
    }  # fmt: skip


def _warm() -> None:
    """Load the compiled kernels, which takes a second, on a scratch desk."""
    desk = Desk("BTC", Settings(draw=SECOND, flush=SECOND))
    for i in range(5):
        at = i * 2 * SECOND
        trade, mark = Trade("x:y", at, at, 1.0 + i / 1e4, 1.0, "buy"), Mark("x:y", at, at, 1.0)
        drive(desk, (trade, mark))


def _ccxt() -> dict[str, Any] | str:
    """Return the measurements of ccxt.pro on the same stream, in a process of its own."""
    if importlib.util.find_spec("ccxt") is None:
        return "not installed: it is a development dependency"
    out: dict[str, Any] = {}
    for kind, count in (("bybit_trades", TRADES), ("bybit_depth", DEPTH // 10)):
        with sender(kind, count, PER_FRAME) as port:
            command = [
                sys.executable,
                "-m",
                "powderkeg.bench.stranger",
                kind,
                str(count),
                str(port),
            ]
            done = subprocess.run(  # noqa: S603  our own module
                command, capture_output=True, text=True, timeout=LONGEST * 2, check=False
            )
            out[kind] = json.loads(done.stdout) if done.returncode == 0 else done.stderr[-300:]
    return out
