"""Binance's public archive: which of its files is which, as series of our own.

A series of kind ``zip`` names archive files (zip or unzipped CSV, with or without a header line);
their names tell what they hold: ``BTCUSDT-aggTrades-2024-08-08.zip``. It becomes one or more
series that are read like any other. ``bookDepth`` (depth by percent from the mid) has no event and
is read as a table only.

Traps: spot archives count µs since 2025-01-01, futures ms; the side of a liquidation is the
*order's*; klines are stamped with their start; COIN-M sizes are contracts, so say so in `unit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from powderkeg.errors import ConfigError
from powderkeg.history.columns import Columns, Report, Type, read_csv
from powderkeg.history.lines import blocks
from powderkeg.history.sources import Column, Of, Series, Source, Stamp

_UNTIL_MS = 10**14
"""Epoch numbers above this are µs: as ms they would lie after the year 5138."""


class Layout(NamedTuple):
    """One kind of archive file."""

    names: tuple[str, ...]
    series: tuple[tuple[str, Mapping[str, Column], Mapping[str, str]], ...]
    """Kind, columns and units of each series in it."""
    stamp: Stamp


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_KLINES = _names(
    "open_time open high low close volume close_time quote_volume count taker_buy_volume "
    "taker_buy_quote_volume ignore"
)
_METRICS = _names(
    "create_time symbol sum_open_interest sum_open_interest_value "
    "count_toptrader_long_short_ratio sum_toptrader_long_short_ratio count_long_short_ratio "
    "sum_taker_long_short_vol_ratio"
)
_LIQUIDATIONS = _names(
    "time symbol side order_type time_in_force original_quantity price average_price order_status "
    "last_fill_quantity accumulated_fill_quantity"
)
LAYOUTS: dict[str, Layout] = {
    "aggTrades": Layout(
        _names(
            "agg_trade_id price quantity first_trade_id last_trade_id transact_time is_buyer_maker"
        ),
        (
            (
                "trades",
                {
                    "price": "price",
                    "size": "quantity",
                    "id": "agg_trade_id",
                    "maker": "is_buyer_maker",
                },
                {},
            ),
        ),
        Stamp("transact_time"),
    ),
    "klines": Layout(
        _KLINES,
        (
            (
                "candles",
                {name: name for name in ("open", "high", "low", "close", "volume")}
                | {"buy": "taker_buy_volume"},
                {},
            ),
        ),
        Stamp("open_time", means="from"),
    ),
    "metrics": Layout(
        _METRICS,
        (
            (
                "open_interest",
                {
                    "size": "sum_open_interest",
                    "price": Of("sum_open_interest_value", "sum_open_interest"),
                },
                {},
            ),
            (
                "ratios",
                {
                    "accounts": "count_long_short_ratio",
                    "top_accounts": "count_toptrader_long_short_ratio",
                    "top_positions": "sum_toptrader_long_short_ratio",
                    "taker": "sum_taker_long_short_vol_ratio",
                },
                dict.fromkeys(("accounts", "top_accounts", "top_positions", "taker"), "ratio"),
            ),
        ),
        Stamp("create_time", "iso", every="5m"),
    ),
    "fundingRate": Layout(
        _names("calc_time funding_interval_hours last_funding_rate"),
        (
            (
                "funding",
                {"rate": "last_funding_rate", "interval": "funding_interval_hours"},
                {"interval": "h"},
            ),
        ),
        Stamp("calc_time"),
    ),
    "liquidationSnapshot": Layout(
        _LIQUIDATIONS,
        (
            (
                "liquidations",
                {"price": "average_price", "size": "accumulated_fill_quantity", "side": "side"},
                {},
            ),
        ),
        Stamp("time"),
    ),
    "bookDepth": Layout(
        _names("timestamp percentage depth notional"), (), Stamp("timestamp", "iso")
    ),
}


def kind_of(path: Path) -> str:
    """Return what an archive file holds, by its name.

    Raises:
        ConfigError: The name tells nothing.
    """
    for kind in LAYOUTS:
        if f"-{kind}-" in path.name or kind in path.parent.parts:
            return kind
    if re.search(r"-\d+[smhd]-", path.name):
        return "klines"
    known = ", ".join(LAYOUTS)
    raise ConfigError(f"{path}: expected a name with one of {known}")


def unpack(source: Source) -> list[Series]:
    """Return the series of a source, each archive series as the series its files hold.

    Raises:
        ConfigError: A file's name does not tell what it holds, or it has no events.
    """
    return [part for each in source.series for part in _parts(each, source)]


def _parts(series: Series, source: Source) -> list[Series]:
    if series.kind != "zip":
        return [series]
    by_kind: dict[str, list[Path]] = {}
    for path in source.files(series):
        by_kind.setdefault(kind_of(path), []).append(path)
    out: list[Series] = []
    for kind, paths in by_kind.items():
        layout = LAYOUTS[kind]
        if not layout.series:
            where = f"{source.path}:{series.line}"
            raise ConfigError(f"{where}: {kind} has no events; read it with archive.table")
        files = tuple(path.relative_to(source.root).as_posix() for path in paths)
        stamp, span = _stamp(layout, paths[0]), series.span
        if kind == "klines":
            found = re.search(r"-(\d+[smhd])-", paths[0].name)
            span = span or (found[1] if found else "1m")
        for name, columns, units in layout.series:
            out.append(
                msgspec.structs.replace(
                    series,
                    kind=name,
                    files=files,
                    time=stamp,
                    columns=dict(columns),
                    unit={**units, **{k: v for k, v in series.unit.items() if k in columns}},
                    span=span,
                    names=layout.names,
                )
            )
    return out


def _stamp(layout: Layout, path: Path) -> Stamp:
    """Return the stamp of a layout, in µs where the first row of a file says so."""
    if layout.stamp.unit == "iso":
        return layout.stamp
    place, report = layout.names.index(layout.stamp.column), Report()
    for block in blocks(path, _ignore, report.complain, 1 << 12):
        for line in block.rows()[:2]:
            cell = line.decode("utf-8", "replace").split(",")[place : place + 1]
            if cell and cell[0].isdigit() and int(cell[0]) > _UNTIL_MS:
                return msgspec.structs.replace(layout.stamp, unit="us")
        break
    return layout.stamp


def _ignore(_: int) -> None:
    """Count nothing: these bytes are not part of a replay."""


def table(path: Path, wanted: dict[str, Type], report: Report) -> Iterator[Columns]:
    """Return columns of one archive file as they are, `bookDepth` too.

    Raises:
        ConfigError: The name does not tell what the file holds.
        DataError: A column is missing.
    """
    text = blocks(path, _ignore, report.complain)
    return read_csv(text, wanted, report, LAYOUTS[kind_of(path)].names)
