"""WebSocket server that sends prebuilt frames of one venue as fast as they are read.

Runs in a process of its own, so that only the reader's CPU time is measured. It sends when the
client subscribes, and stops by itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Final

import numpy as np
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

START: Final = 1_790_000_000_000
"""Time of the first event, ms."""
PIECE: Final = 200
"""Frames sent before yielding to the event loop."""


def bybit_trades(count: int, per_frame: int, seed: int = 1) -> Iterator[bytes]:
    """Yield Bybit ``publicTrade`` frames with `count` trades in all."""
    rng = np.random.default_rng(seed)
    prices = 60_000 + np.cumsum(rng.normal(0, 0.5, count)).round(1)
    sizes = rng.lognormal(-4, 1, count).round(3) + 0.001
    for first in range(0, count, per_frame):
        rows = [
            {
                "T": START + i // 20,
                "s": "BTCUSDT",
                "S": "Buy" if i % 2 else "Sell",
                "v": f"{sizes[i]:.3f}",
                "p": f"{prices[i]:.1f}",
                "L": "PlusTick",
                "i": f"{i:08x}-0000-4000-8000-000000000000",
                "BT": False,
                "RPI": False,
                "seq": 1_000_000 + i,
            }
            for i in range(first, min(first + per_frame, count))
        ]
        frame = {
            "topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": START + first // 20,
            "data": rows,
        }  # fmt: skip
        yield json.dumps(frame, separators=(",", ":")).encode()


def binance_trades(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield Binance ``aggTrade`` frames, one trade each."""
    rng = np.random.default_rng(seed)
    prices = 60_000 + np.cumsum(rng.normal(0, 0.5, count)).round(1)
    sizes = rng.lognormal(-4, 1, count).round(3) + 0.001
    for i in range(count):
        at = START + i // 20
        data = {
            "e": "aggTrade", "E": at, "a": 1000 + i, "s": "BTCUSDT", "p": f"{prices[i]:.1f}",
            "q": f"{sizes[i]:.3f}", "nq": f"{sizes[i]:.3f}", "f": 5000 + i, "l": 5000 + i,
            "T": at, "m": bool(i % 2), "st": 1,
        }  # fmt: skip
        frame = {"stream": "btcusdt@aggTrade", "data": data}
        yield json.dumps(frame, separators=(",", ":")).encode()


def bybit_depth(count: int, levels: int = 50, seed: int = 1) -> Iterator[bytes]:
    """Yield a Bybit book and `count` changes of `levels` levels each, half of them on each side."""
    rng = np.random.default_rng(seed)
    mid, deep = 60_000.0, 200
    bids = {round(mid - 0.1 * (k + 1), 1): 1.0 for k in range(deep)}
    asks = {round(mid + 0.1 * (k + 1), 1): 1.0 for k in range(deep)}
    yield _book("snapshot", 1, list(bids.items()), list(asks.items()))
    for n in range(count):
        changes = []
        for prices in (list(bids), list(asks)):
            picked = rng.choice(deep, levels // 2, replace=False)
            sizes = np.where(rng.random(levels // 2) < 0.2, 0.0, rng.random(levels // 2).round(3))
            sizes[picked == 0] = 1.0  # the best stays, so that the book never crosses
            changes.append(
                [(prices[k], float(size)) for k, size in zip(picked, sizes, strict=True)]
            )
        yield _book("delta", n + 2, *changes)


def _book(
    kind: str, update: int, bids: list[tuple[float, float]], asks: list[tuple[float, float]]
) -> bytes:
    data = {
        "s": "BTCUSDT",
        "b": [[f"{p:.1f}", f"{s:.3f}"] for p, s in bids],
        "a": [[f"{p:.1f}", f"{s:.3f}"] for p, s in asks],
        "u": update,
        "seq": update * 10,
    }
    frame = {
        "topic": "orderbook.200.BTCUSDT", "type": kind, "ts": START + update, "data": data,
        "cts": START + update,
    }  # fmt: skip
    return json.dumps(frame, separators=(",", ":")).encode()


class _Sender(WSListener):
    """Sends all frames to whoever subscribes."""

    def __init__(self, frames: list[bytes]) -> None:
        self._frames = frames
        self._task: asyncio.Task[None] | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        if frame.msg_type == WSMsgType.TEXT and self._task is None:
            said = json.loads(frame.get_payload_as_bytes())
            ack = {"success": True, "ret_msg": "", "op": "subscribe", "req_id": said.get("req_id")}
            transport.send(WSMsgType.TEXT, json.dumps(ack).encode())
            self._task = asyncio.ensure_future(self._send(transport))

    async def _send(self, transport: WSTransport) -> None:
        await asyncio.sleep(0.5)
        for first in range(0, len(self._frames), PIECE):
            for frame in self._frames[first : first + PIECE]:
                transport.send(WSMsgType.TEXT, frame)
            await asyncio.sleep(0)


async def main(kind: str, count: int, per_frame: int) -> None:
    """Serve until standard input closes; print the port."""
    made = {
        "bybit_trades": lambda: bybit_trades(count, per_frame),
        "binance_trades": lambda: binance_trades(count),
        "bybit_depth": lambda: bybit_depth(count),
    }
    frames = list(made[kind]())

    def listener(_: WSUpgradeRequest) -> WSListener:
        return _Sender(frames)

    server = await ws_create_server(listener, "127.0.0.1", 0)
    ready = {"port": server.sockets[0].getsockname()[1], "frames": len(frames)}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
