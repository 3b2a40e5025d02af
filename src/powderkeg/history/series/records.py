"""Converts rows and stored frames into single events, each with its received time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

import numpy as np

from powderkeg.errors import ConfigError, WireError
from powderkeg.events import (
    SECOND,
    BookSnapshot,
    ClockTick,
    Event,
    Floats,
    Funding,
    Gap,
    Level,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Positions,
    Ratio,
)
from powderkeg.history.files.lines import Block, blocks
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table, floats
from powderkeg.history.sources import Series, Source, coin_of
from powderkeg.instruments import unit_of
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.reader import UNREADABLE

Known: TypeAlias = tuple[int, int, int, Event]
"""When an event was received, its rank among equals, the number of its series, and the event."""
_Events: TypeAlias = Iterator[tuple[int, Event]]
ANY = "*"
"""The market of a series whose rows or frames name theirs."""
_POSITIONS = 8
"""Rank of position snapshots among equals: last."""


def records(
    series: Series, n: int, tables: Iterator[Table], report: ReadReport, index: Table | None = None
) -> Iterator[Known]:
    """Return the events of a series, with a Gap where rows are missing.

    Args:
        series: What the rows are.
        n: Its number, which decides among equals.
        tables: Its rows.
        report: Collects gaps.
        index: Index prices, for marks that carry none.
    """
    rank, make = _MAKE[series.kind]
    silence, last = series.every * 3 // 2, 0
    for table in tables:
        if index is not None and "index" not in table.columns:
            table.columns["index"] = _before(index, table)
        for at, event in make(series, table):
            if silence and last and at - last > silence:
                report.of(table.file).gaps += 1
                yield at, rank, n, _gap(series, last, at)
            last = at
            yield at, rank, n, event


def sightings(series: Series, n: int, tables: Iterator[Table], coin: str) -> Iterator[Known]:
    """Return the positions of accounts in a coin as one event per stamp.

    An account that appears at a stamp with other coins only has no position in this one.
    """
    name = coin  # a coin traded by the thousand has another name in the rows
    at, rows = 0, list[tuple[str, float, float, float]]()
    named: dict[str, None] = {}
    market = series.id
    for table in tables:
        name = _name(table, coin) or name
        market = f"{series.venue}:{name}" if series.market == ANY else series.id
        for time, account, here, size, entry, price in _held(table, name):
            if time != at and named:
                yield at, _POSITIONS, n, _snapshot(market, at, rows, named)
                rows, named = [], {}
            at = time
            named[account] = None
            if here:
                rows.append((account, size, entry, price))
    if named:
        yield at, _POSITIONS, n, _snapshot(market, at, rows, named)


def _held(table: Table, name: str) -> Iterator[tuple[int, str, bool, float, float, float]]:
    column, count = table.columns, len(table.times)
    signs = column["holder"] if "holder" in column else column["side"]
    missing = np.full(count, np.nan)
    return zip(
        table.times.tolist(),
        (str(name) for name in column["account"]),
        (column["coin"] == name).tolist() if "coin" in column else [True] * count,
        (np.sign(signs) * column["size"]).tolist(),
        column["entry"].tolist(),
        column.get("liquidation", missing).tolist(),
        strict=True,
    )


def _name(table: Table, coin: str) -> str:
    """Return what rows call a coin, empty where they do not: ``kPEPE`` of Hyperliquid is PEPE."""
    names = dict.fromkeys(str(name) for name in table.columns.get("coin", ()))
    return next((name for name in names if unit_of(name)[0] == coin), "")


def _snapshot(
    market: str, at: int, rows: list[tuple[str, float, float, float]], named: dict[str, None]
) -> Positions:
    held = {row[0]: row[1:] for row in rows}
    columns = np.array(list(held.values()), np.float64).reshape(-1, 3).T.copy()
    flat = tuple(name for name in named if name not in held)
    return Positions(market, at, at, tuple(held), columns[0], columns[1], columns[2], flat)


def frames(
    series: Series, n: int, source: Source, report: ReadReport, advance: Callable[[int], None]
) -> Iterator[Known]:
    """Return what a venue's reader makes of stored frames: lines of ``<stamp> <frame>``.

    Frames it cannot read are reported with file and line, and left out. What it leaves out on
    purpose is counted at the end, and so is what frames say of other markets than the series'.

    Raises:
        ConfigError: There is no reader for the venue.
    """
    spec = VENUES.get(series.venue)
    if spec is None:
        known = ", ".join(VENUES)
        where = f"{source.path}:{series.line}"
        raise ConfigError(f"{where}: no reader for venue {series.venue!r}; there are {known}")
    venue = spec.reader("" if series.market == ANY else series.market)
    by, known = (1000 if series.stamp == "ns" else 1), 0
    foreign: dict[tuple[str, str], int] = {}
    for path in source.files(series):
        for block in blocks(path, advance, report.reject):
            for seen, event in _read(venue, block, by, report):
                market = "" if isinstance(event, ClockTick) else event.market
                if not _of(series, market):
                    key = block.file, market
                    foreign[key] = foreign.get(key, 0) + 1
                    continue
                # a local clock that was set back must not turn the stream around
                known = max(known, seen)
                report.rows += 1
                yield known, 0, n, event
    for (file, market), count in foreign.items():
        # messages of no particular market, such as a refusal, are not foreign
        reason = "foreign market" if ":" in market else "left out, said of no market"
        why = f"{market}: {count} times, where {series.id} is wanted"
        report.reject(file, 0, reason, why, count)
    for reason, count in venue.state.skipped.items():
        kind = "unreadable row" if reason == UNREADABLE else "left out on purpose"
        report.reject(series.id, 0, kind, f"{reason}: {count} times", count)


def _of(series: Series, market: str) -> bool:
    """Return whether a market is that of a series, or one of its coin where it names none."""
    if series.market != ANY:
        return market == series.id
    venue, _, symbol = market.partition(":")
    return venue == series.venue and unit_of(symbol)[0] == coin_of(series)


def _read(venue: VenueReader, block: Block, by: int, report: ReadReport) -> _Events:
    for line, text in enumerate(block.rows(), block.line):
        stamp, _, raw = text.partition(b" ")
        try:
            seen = int(stamp) // by
            for event in venue.read(raw, seen):
                yield seen, event
        except (WireError, ValueError) as why:
            report.reject(block.file, line, "unreadable frame", str(why))


def _gap(series: Series, since: int, at: int) -> Gap:
    span = series.length if series.kind == "liquidation_bars" else 0
    why = f"{series.kind}: nothing for {(at - since) / SECOND:.0f} s"
    return Gap(series.id, at - span, at, since, why)


def _before(index: Table, table: Table) -> Floats:
    """Return the last index price not after each row, NaN before the first."""
    i = np.searchsorted(index.times, table.times, side="right") - 1
    prices: Floats = index.columns["price"]
    return np.where(i >= 0, prices[np.maximum(i, 0)], np.nan)


def _rows(table: Table, *names: str, missing: float = float("nan")) -> Iterator[tuple[float, ...]]:
    columns = (floats(table, name, missing).tolist() for name in names)
    return zip(*columns, strict=True)


def _marks(series: Series, table: Table) -> _Events:
    for at, (price, index) in zip(
        table.times.tolist(), _rows(table, "price", "index"), strict=True
    ):
        yield at, Mark(series.id, at, at, price, index if index > 0 else None)


def _fundings(series: Series, table: Table) -> _Events:
    rows = _rows(table, "rate", "interval", missing=float(series.length))
    for at, (rate, interval) in zip(table.times.tolist(), rows, strict=True):
        yield at, Funding(series.id, at, at, rate, int(interval))


def _interests(series: Series, table: Table) -> _Events:
    for at, (size,) in zip(table.times.tolist(), _rows(table, "size"), strict=True):
        yield at, OpenInterest(series.id, at, at, size)


def _ratios(series: Series, table: Table) -> _Events:
    for n, at in enumerate(table.times.tolist()):
        for kind in ("accounts", "top_accounts", "top_positions", "taker"):
            if kind in table.columns:
                yield at, Ratio(series.id, at, at, kind, float(table.columns[kind][n]))


def _books(series: Series, table: Table) -> _Events:
    levels = zip(table.columns["bids"], table.columns["asks"], strict=True)
    pairs = cast("Iterator[tuple[tuple[Level, ...], tuple[Level, ...]]]", levels)
    for at, (bids, asks) in zip(table.times.tolist(), pairs, strict=True):
        yield at, BookSnapshot(series.id, at, at, bids, asks)


def _liquidations(series: Series, table: Table) -> _Events:
    # a side is the order's, so it is the opposite of the liquidated position's
    holder = floats(table, "holder") if "holder" in table.columns else -floats(table, "side")
    rows = _rows(table, "price", "size", "bankruptcy", missing=0.0)
    for at, sign, (price, size, broke) in zip(
        table.times.tolist(), holder.tolist(), rows, strict=True
    ):
        side = "long" if sign > 0 else "short"
        yield at, Liquidation(series.id, at, at, price, size, side, bool(broke))


def _bars(series: Series, table: Table) -> _Events:
    span = series.length
    long, short = floats(table, "long"), floats(table, "short")
    for end, bought, sold in zip(table.times.tolist(), long.tolist(), short.tolist(), strict=True):
        yield end, LiquidationBar(series.id, end - span, end, span, bought, sold)


_MAKE: dict[str, tuple[int, Callable[[Series, Table], _Events]]] = {
    "mark": (1, _marks),
    "funding": (2, _fundings),
    "open_interest": (3, _interests),
    "ratios": (4, _ratios),
    "book": (5, _books),
    "liquidations": (6, _liquidations),
    "liquidation_bars": (7, _bars),
}
"""Rank among equals, and the maker, by kind."""
