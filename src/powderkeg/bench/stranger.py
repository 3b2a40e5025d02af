"""ccxt.pro on the sender's stream, unmodified but for the URL: trades delivered and CPU cost."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final

import ccxt.pro

QUIET: Final = 3.0
"""Seconds without anything new after which the stream is over."""


async def main(kind: str, count: int, port: int) -> dict[str, Any]:
    """Read the stream to its end and return the measurements."""
    exchange: Any = ccxt.pro.bybit({"options": {"fetchMarkets": {"types": ["linear"]}}})
    for place in exchange.urls["api"]["ws"]["public"].values():
        if isinstance(place, dict):
            place.update(dict.fromkeys(place, f"ws://127.0.0.1:{port}"))
    exchange.urls["api"]["ws"]["public"]["linear"] = f"ws://127.0.0.1:{port}"
    market = {
        "id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT",
        "settle": "USDT", "baseId": "BTC", "quoteId": "USDT", "settleId": "USDT", "type": "swap",
        "spot": False, "margin": False, "swap": True, "future": False, "option": False,
        "active": True, "contract": True, "linear": True, "inverse": False, "contractSize": 1.0,
        "precision": {"amount": 0.001, "price": 0.1}, "limits": {}, "info": {},
    }  # fmt: skip
    exchange.set_markets([market])
    got = 0
    seen: set[str] = set()
    began = time.process_time()
    try:
        while got < count:
            if kind == "bybit_trades":
                trades = await asyncio.wait_for(exchange.watch_trades(market["symbol"]), QUIET)
                seen.update(trade["id"] for trade in trades)
                got = len(seen)
            else:
                book = await asyncio.wait_for(
                    exchange.watch_order_book(market["symbol"], 200), QUIET
                )
                got += 1
                if (book.get("nonce") or 0) > count:
                    break
    except TimeoutError:
        pass
    cpu = time.process_time() - began
    await exchange.close()
    return {"sent": count, "delivered": got, "per_cpu_s": round(count / max(cpu, 1e-9))}


if __name__ == "__main__":
    result = asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(json.dumps(result) + "\n")
