"""Frames of a simulated market at two venues, as their wires look, the same for the same seed."""

from __future__ import annotations

import json
import random

from powderkeg.frames import BackfillDone, Frame, Started, control_frame

SECOND = 1_000_000
MINUTE = 60 * SECOND
T0 = 1_767_225_600 * SECOND
"""Where the past ends, µs."""
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"
BOOT = Started(T0 + SECOND, {"BTC": (BINANCE, BYBIT)})


def binance_trade(number, at, price, size, seller=False):
    data = {
        "e": "aggTrade", "E": at // 1000, "s": "BTCUSDT", "a": number, "p": f"{price:.1f}",
        "q": f"{size:.3f}", "f": number, "l": number, "T": at // 1000, "m": seller,
    }  # fmt: skip
    return json.dumps({"stream": "btcusdt@aggTrade", "data": data}, separators=(",", ":")).encode()


def binance_trades(*rows):
    """Return the answer about recent trades: number, µs, price, size, seller of each."""
    return json.dumps(
        [
            {"a": n, "p": str(p), "q": str(q), "f": n, "l": n, "T": at // 1000, "m": m}
            for n, at, p, q, m in rows
        ]
    ).encode()


def binance_mark(at, price):
    data = {
        "e": "markPriceUpdate", "E": at // 1000, "s": "BTCUSDT", "p": f"{price:.2f}",
        "i": f"{price:.2f}", "P": f"{price:.2f}", "r": "0.0001", "T": at // 1000 + 1,
    }  # fmt: skip
    return json.dumps({"stream": "btcusdt@markPrice@1s", "data": data}).encode()


def binance_depth(at, update, price):
    data = {
        "e": "depthUpdate", "E": at // 1000, "T": at // 1000, "s": "BTCUSDT",
        "U": update, "u": update, "pu": update - 1,
        "b": [[f"{price - 1:.1f}", "2.5"]], "a": [[f"{price + 1:.1f}", "1.5"]],
    }  # fmt: skip
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": data}).encode()


def binance_book(update, price):
    sides = {"bids": [[f"{price - 1:.1f}", "2"]], "asks": [[f"{price + 1:.1f}", "1"]]}
    return json.dumps({"lastUpdateId": update, "E": 1, "T": 1, **sides}).encode()


def binance_candles(until, closes):
    """Return an answer with one bar a minute that ends at `until`, µs."""
    rows = []
    start = until // 1000 - len(closes) * 60_000
    for i, price in enumerate(closes):
        at, p = start + i * 60_000, f"{price:.1f}"
        rows.append([at, p, p, p, p, "10", at + 59_999, "1", 5, "6", "1", "0"])
    return json.dumps(rows).encode()


def binance_interest(at, size):
    row = {"symbol": "BTCUSDT", "openInterest": f"{size:.3f}", "time": at // 1000}
    return json.dumps(row).encode()


def bybit_trade(name, at, price, size, side="Buy"):
    row = {
        "T": at // 1000, "s": "BTCUSDT", "S": side, "v": f"{size:.3f}", "p": f"{price:.1f}",
        "i": name, "BT": False,
    }  # fmt: skip
    frame = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": at // 1000, "data": [row]}
    return json.dumps(frame).encode()


def bybit_ticker(at, price, interest):
    data = {
        "symbol": "BTCUSDT", "markPrice": f"{price:.2f}", "indexPrice": f"{price:.2f}",
        "openInterest": f"{2 * interest:.3f}", "fundingRate": "0.0001",
        "fundingIntervalHour": "8",
    }  # fmt: skip
    frame = {"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": at // 1000, "data": data}
    return json.dumps(frame).encode()


def bybit_book(at, update, price):
    data = {
        "s": "BTCUSDT", "b": [[f"{price - 1:.1f}", "2"]], "a": [[f"{price + 1:.1f}", "1"]],
        "u": update, "seq": update,
    }  # fmt: skip
    kind = "snapshot" if update == 1 else "delta"
    topic = "orderbook.200.BTCUSDT"
    frame = {"topic": topic, "type": kind, "ts": at // 1000, "cts": at // 1000, "data": data}
    return json.dumps(frame).encode()


class Script:
    """Frames put together one after another, with the numbers and times they need."""

    def __init__(self, now=T0 + SECOND):
        self.now = now
        self.frames = []

    def put(self, venue, raw, channel="", after=10_000):
        self.now += after
        self.frames.append(Frame(len(self.frames) + 1, self.now, venue, channel, raw))

    def say(self, said):
        self.now += 1000
        self.frames.append(control_frame(len(self.frames) + 1, self.now, said))


def begun(seed=1):
    """Return a script up to where both markets have lived through their past."""
    chance = random.Random(seed)
    script = Script()
    script.say(BOOT)
    closes = [100_000 + 40 * chance.gauss(0, 1) * (i % 30) for i in range(240)]
    script.put("binance", binance_candles(T0, closes), "candles:BTCUSDT")
    script.put("binance", binance_trade(2, script.now, 100_000, 0.5))
    recent = [(1, T0 - SECOND, 100_000, 1, False), (2, script.now, 100_000, 0.5, False)]
    script.put("binance", binance_trades(*recent), "trades:BTCUSDT")
    rows = [
        {"sumOpenInterest": str(1000 + i), "sumOpenInterestValue": "1",
         "timestamp": T0 // 1000 - (48 - i) * 300_000, "symbol": "BTCUSDT"}
        for i in range(48)
    ]  # fmt: skip
    script.put("binance", json.dumps(rows).encode(), "interest:BTCUSDT")
    script.say(BackfillDone(script.now, BINANCE, T0))
    script.say(BackfillDone(script.now, BYBIT, T0))
    return script


def market(seed, frames):
    """Return batches of about so many frames in all: a past, then both venues' streams."""
    chance = random.Random(seed)
    script = begun(seed)
    price, interest, update, number = 100_000.0, 1100.0, 1, 3
    script.put("binance", binance_book(1, price), "depth:BTCUSDT")
    while len(script.frames) < frames:
        price += chance.gauss(0, 15)
        interest += chance.uniform(-0.5, 1.0)
        update += 1
        size = chance.uniform(0.01, 3)
        seller, at = chance.random() < 0.5, script.now
        for raw in (
            binance_trade(number, at, price, size, seller),
            binance_trade(number + 1, at, price + 0.1, size, seller),
            binance_depth(at, update, price),
        ):
            script.put("binance", raw)
        script.put("bybit", bybit_book(at, update - 1, price))
        script.put("bybit", bybit_trade(f"t{number}", at, price, size, "Sell" if seller else "Buy"))
        number += 2
        if chance.random() < 0.4:
            script.put("binance", binance_mark(at, price))
            script.put("bybit", bybit_ticker(at, price, interest))
        if chance.random() < 0.2:
            raw = binance_interest(at, interest)
            script.put("binance", raw, "openInterest:BTCUSDT", after=400_000)
    return cut(script.frames, chance)


def cut(frames, chance, most=12):
    """Return frames as batches of up to `most`."""
    out = []
    while frames:
        n = chance.randint(1, most)
        out.append(frames[:n])
        frames = frames[n:]
    return out
