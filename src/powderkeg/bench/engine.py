"""Benchmarks of the engine: loads and targets of docs/measured.md, best of five."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.desk import Desk
from powderkeg.engine.calibration import weights as w
from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.forecasts import FIELDS
from powderkeg.engine.calibration.forecasts import KEPT as HOURS_KEPT
from powderkeg.engine.calibration.sweeps import KEPT, QUARTER
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.engine.exposure import deposits, marks, table
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.exposure import Exposure, Steps
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, Floats, LiquidationBar, Mark, Times
from powderkeg.feed.drive import drive
from powderkeg.history.replay import remaining
from powderkeg.history.sources import load
from powderkeg.settings import Settings
from powderkeg.sim import SimulatedMarket, World

Cells: TypeAlias = NDArray[np.float32]
Shorts: TypeAlias = NDArray[np.int16]
Ints: TypeAlias = NDArray[np.int32]
START = 1_767_225_600 * SECOND
ONE = World(venues=("binance",), shares=(1.0,))
ROUNDS = 5
DENSE = 150
"""Trades to a flush on a busy tape."""
DAY_OF_TRADES = 211_000
"""Prints in the day whose heatmap is timed."""


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the least CPU seconds of several runs."""
    times: list[float] = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def _tape(days: float) -> tuple[Steps, Floats]:
    """Return simulated trades in steps of a second, and their first price."""
    recording = SimulatedMarket(ONE, 5, START).run(days)
    venue = recording.venues[0]
    ends = np.searchsorted(venue.trades.times, recording.times, side="right")
    oi = np.full(len(ends), np.nan)
    oi[59::60] = venue.oi[59::60]
    steps = Steps(
        recording.times / SECOND, ends, oi, venue.marks, venue.trades.prices, venue.trades.sizes, 60
    )
    return steps, venue.trades.prices[:1]


def bulk(days: float = 4.0) -> dict[str, float]:
    """Return trades per CPU second: 150 to a flush, and the tape as it is, a flush a minute."""
    sparse, first = _tape(days)
    count = len(sparse.prices)
    ends = np.arange(DENSE, count + 1, DENSE)
    at = np.searchsorted(sparse.ends, ends).clip(max=len(sparse.times) - 1)
    known = np.maximum.accumulate(np.where(np.isnan(sparse.oi), 0.0, sparse.oi))
    dense = Steps(
        np.arange(len(ends)) + sparse.times[0], ends, known[at], sparse.marks[at],
        sparse.prices, sparse.sizes, 1,
    )  # fmt: skip
    price = float(first[0])
    Exposure(price).add_tape(dense)
    return {
        "bulk_dense_trades_per_s": len(ends)
        * DENSE
        / best(lambda: Exposure(price).add_tape(dense)),
        "bulk_sparse_trades_per_s": count / best(lambda: Exposure(price).add_tape(sparse)),
        "sparse_trades_a_second": count / len(sparse.times),
    }


@njit(cache=True)
def _flushes(
    cells: Cells, volume: Floats, pending: Cells, active_bins: Shorts, offsets: Shorts,
    ledger: Floats, number: Floats, count: Times, prices: Floats, sizes: Floats, runs: int,
) -> None:  # fmt: skip
    for i in range(runs):
        deposits.add_trades(volume, active_bins, number, count, prices, sizes, 0, len(prices))
        deposits.flush(
            cells, volume, pending, active_bins, offsets, ledger, number, count,
            number[table.FLUSHED] + 1.0, 1000.0 + i % 2,
        )  # fmt: skip


@njit(cache=True)
def _moves(
    cells: Cells, last_crossed: Ints, ledger: Floats, number: Floats, count: Times,
    low: float, high: float, records: Floats, runs: int,
) -> None:  # fmt: skip
    for i in range(runs):
        marks.move_mark(
            cells, last_crossed, ledger, number, count, float(i), high if i & 1 else low, records, 0
        )


def inner(runs: int = 200_000) -> dict[str, float]:
    """Return µs of a flush of one print, of a mark move over two bins, of a render; and bytes."""
    e = Exposure(100_000.0)
    prices, sizes = np.array([100_001.0]), np.array([0.01])
    e.add_trades(prices, sizes)
    e.flush(START, 1000.0)

    def flushes(count: int) -> None:
        _flushes(
            e.cells, e.volume, e.pending, e.active_bins, e.offsets, e.ledger, e.number, e.count,
            prices, sizes, count,
        )  # fmt: skip

    def moves(count: int) -> None:
        records = np.zeros((4, marks.RECORD))
        _moves(
            e.cells,
            e.last_crossed,
            e.ledger,
            e.number,
            e.count,
            100_000.0,
            100_100.0,
            records,
            count,
        )

    weights = np.ones((2, 2, CLASSES))
    flushes(1)  # compiles
    moves(1)
    e.render(weights)
    renders = 2000
    return {
        "flush_us": best(lambda: flushes(runs)) / runs * 1e6,
        "mark_move_us": best(lambda: moves(runs)) / runs * 1e6,
        "render_us": best(lambda: [e.render(weights) for _ in range(renders)]) / renders * 1e6,
        "state_bytes": e.nbytes,
    }


def backfill(days: float = 30.0) -> dict[str, float]:
    """Return CPU ms of thirty days of one-minute candles with open interest into a ready map."""
    history = SimulatedMarket(ONE, 5, START).history(days)[0]
    bars: Candles = history.candles
    price = float(bars.open[0])

    def fill() -> None:
        e = Exposure(price)
        e.add_candles(bars)
        e.render(np.ones((2, 2, CLASSES)))

    fill()
    return {"backfill_30d_ms": best(fill) * 1e3, "backfill_candles": len(bars.times)}


def market(days: float = 30.0) -> dict[str, float]:
    """Return CPU ms of thirty days of minutes into all of a market: map, nulls, static map.

    Also the bytes of all its arrays once what it keeps is full: three weeks of sweeps, 120 days of
    rows.
    """
    bars = SimulatedMarket(ONE, 5, START).history(days)[0].candles
    price, estimate = float(bars.open[0]), Estimate(1.0)

    def fill() -> None:
        nonlocal estimate
        estimate = Estimate(price, "binance:BTCUSDT")
        estimate.add_candles(bars, [len(bars.times)])
        estimate.render(int(bars.times[-1]))

    fill()
    least = best(fill)
    estimate.flush(int(bars.times[-1]) + 2 * HOUR)  # the hours of the bars are over
    crossed, row = np.zeros((2, TERMS)), np.zeros((len(FIELDS), 2))
    for n in range(len(estimate.sweeps.quarters), KEPT // QUARTER):
        estimate.sweeps.add(int(bars.times[-1]) + n * QUARTER, crossed)
    for n in range(HOURS_KEPT):
        estimate.forecast_log.add(n, row)
    return {"backfill_market_ms": least * 1e3, "market_bytes": array_bytes(estimate)}


def array_bytes(state: object, seen: set[int] | None = None) -> int:
    """Return the bytes of all arrays in a state, each array once."""
    seen = set() if seen is None else seen
    if id(state) in seen:
        return 0
    seen.add(id(state))
    if isinstance(state, np.ndarray):
        whole = cast("NDArray[np.generic]", state)
        return whole.nbytes if whole.base is None else array_bytes(whole.base, seen)
    if isinstance(state, dict):
        parts = list(cast("dict[object, object]", state).values())
    elif isinstance(state, list | tuple):
        parts = list(cast("list[object]", state))
    else:
        names = [n for kind in type(state).__mro__ for n in getattr(kind, "__slots__", ())]
        parts = [getattr(state, name, None) for name in names]
    return sum(array_bytes(part, seen) for part in parts)


def fitting() -> dict[str, float]:
    """Return CPU ms of a fit, and of all of a market's fits, over three weeks of records."""
    chance = np.random.default_rng(5)
    quarters = KEPT // QUARTER
    crossed = chance.gamma(0.5, 100.0, (quarters, 2, TERMS))
    liquidated = crossed.sum(axis=2) * chance.gamma(0.1, 0.01, (quarters, 2))
    estimate = Estimate(100_000.0, "binance:BTCUSDT")
    estimate.add_trades(np.array([100_000.0]), np.array([1.0]))
    estimate.flush(START, 1e5)
    for n in range(quarters):
        at = START + n * QUARTER
        estimate.sweeps.add(at, crossed[n])
        estimate.add_liquidation_bar(LiquidationBar("", at, at, QUARTER, *liquidated[n].tolist()))
    until = START + KEPT
    centre = np.full(TERMS, 0.01)
    w.fit(crossed, liquidated, centre, 1e5)  # compiles
    return {
        "fit_30d_ms": best(lambda: w.fit(crossed, liquidated, centre, 1e5)) * 1e3,
        "refit_market_ms": best(lambda: estimate.refit(until, until)) * 1e3,
    }


def day_of_trades() -> dict[str, float]:
    """Return CPU ms from a day's aggTrades file to a full heatmap with a column a minute."""
    recording = SimulatedMarket(ONE, 6, START).run(1.0)
    tape = recording.venues[0].trades
    keep = np.linspace(0, len(tape.times) - 1, DAY_OF_TRADES).astype(np.int64)
    marks = recording.venues[0].marks[59::60]
    times = recording.times[59::60]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "BTCUSDT-aggTrades-2026-01-01.csv"
        _write(path, tape.times[keep], tape.prices[keep], tape.sizes[keep])
        source = Path(folder) / "day.toml"
        source.write_text(
            'name = "day"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "zip"\n'
            f'files = ["{path.name}"]\n'
        )
        filled = 0

        def draw() -> None:
            nonlocal filled
            desk = Desk("BTC", Settings(flush=MINUTE))
            at = 0

            def mark(now: Desk, _: object) -> None:
                nonlocal at
                while at < len(times) and times[at] <= now.now:
                    stamp = int(times[at])
                    drive(now, (Mark("binance:BTCUSDT", stamp, stamp, float(marks[at])),))
                    at += 1

            drive(desk, remaining(desk, load(source)), mark)
            ring = next(desk.estimated()).rings[MINUTE]
            filled = int((ring.states == 1).sum())

        draw()
        return {"day_of_trades_ms": best(draw) * 1e3, "columns": filled, "rows": len(keep)}


def _write(path: Path, times: Times, prices: Floats, sizes: Floats) -> None:
    """Write prints in the format of the public archive."""
    with path.open("w", encoding="ascii") as file:
        file.write(
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        )
        for i, (at, price, size) in enumerate(zip(times, prices, sizes, strict=True)):
            maker = "true" if size < 0 else "false"
            file.write(f"{i},{price:.1f},{abs(size):.6f},{i},{i},{at // 1000},{maker}\n")


def engine() -> dict[str, float]:
    """Return all engine benchmarks."""
    return {**bulk(), **inner(), **backfill(), **market(), **fitting(), **day_of_trades()}
