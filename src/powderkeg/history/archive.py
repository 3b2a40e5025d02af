"""Binance's public archive: its files as series of our own.

A series of kind ``zip`` names archive files (zip or unzipped CSV, with or without a header line);
their names give their content and market: ``BTCUSDT-aggTrades-2024-08-08.zip``. It becomes one or
more series that are read like any other. ``bookDepth``, ``bookTicker`` and premium klines have no
event; they are reported and left out.

Traps: spot archives count µs since 2025-01-01 and have an eighth column; candles of trades, mark,
index and premium share one file name and differ only by their folder; the side of a liquidation
is the *order's*, and a row may be in the file twice; COIN-M sizes are contracts, so set `unit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from powderkeg.errors import ConfigError
from powderkeg.history.files.cells import Type
from powderkeg.history.files.columns import Columns, read_csv
from powderkeg.history.files.columns import Layout as Reading
from powderkeg.history.files.lines import blocks
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import Column, RatioColumn, Series, Source, Stamp, span_of


class Layout(NamedTuple):
    """One kind of archive file."""

    names: tuple[str, ...]
    series: tuple[tuple[str, Mapping[str, Column], Mapping[str, str]], ...]
    """Kind, columns and units of each series in it."""
    stamp: Stamp
    counted: bool = False
    """Whether its ids rise by one."""
    doubled: bool = False
    """Whether its rows are known to appear in it twice."""


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
_OPENED = Stamp("open_time", means="from")
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
        counted=True,
    ),
    "trades": Layout(
        _names("id price qty quote_qty time is_buyer_maker"),
        (("trades", {"price": "price", "size": "qty", "id": "id", "maker": "is_buyer_maker"}, {}),),
        Stamp("time"),
        counted=True,
    ),
    "markPriceKlines": Layout(_KLINES, (("mark", {"price": "close"}, {}),), _OPENED),
    "indexPriceKlines": Layout(_KLINES, (("index", {"price": "close"}, {}),), _OPENED),
    "premiumIndexKlines": Layout(_KLINES, (), _OPENED),
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
        _OPENED,
    ),
    "metrics": Layout(
        _METRICS,
        (
            (
                "open_interest",
                {
                    "size": "sum_open_interest",
                    "price": RatioColumn("sum_open_interest_value", "sum_open_interest"),
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
        Stamp("create_time", every="5m"),
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
        doubled=True,
    ),
    "bookDepth": Layout(_names("timestamp percentage depth notional"), (), Stamp("timestamp")),
    "bookTicker": Layout(
        _names(
            "update_id best_bid_price best_bid_qty best_ask_price best_ask_qty transaction_time "
            "event_time"
        ),
        (),
        Stamp("transaction_time"),
    ),
}


_CANDLES = {"klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines"}


def kind_of(path: Path) -> str:
    """Return the kind of an archive file, by its folder and name.

    Raises:
        ConfigError: They name no kind.
    """
    for kind in LAYOUTS:
        if f"-{kind}-" in path.name or kind in path.parent.parts:
            return kind
    if re.search(r"-\d+[smhdw]-", path.name):
        return "klines"
    known = ", ".join(LAYOUTS)
    raise ConfigError(f"{path}: expected a name with one of {known}")


def market_of(path: Path) -> str:
    """Return the market in an archive file's name; empty where there is none."""
    found = re.match(r"([A-Z0-9]{3,}(?:_[A-Z0-9]+)?)-", path.name)
    return found[1] if found else ""


def unpack(source: Source, report: ReadReport | None = None) -> list[Series]:
    """Return the series of a source, each archive series as the series its files hold.

    Args:
        source: The source.
        report: Collects files of other markets, files without events, and files whose data others
            have at a finer interval.

    Raises:
        ConfigError: A file's name names no kind, or no file has events.
    """
    report = ReadReport() if report is None else report
    return [part for each in source.series for part in _parts(each, source, report)]


def _parts(series: Series, source: Source, report: ReadReport) -> list[Series]:
    if series.kind != "zip":
        return [series]
    by_kind: dict[str, list[Path]] = {}
    for path in source.files(series):
        market = market_of(path)
        if market and market != series.market:
            why = f"of {market}, where {series.market} is asked for"
            report.reject(str(path), 0, "foreign file", why, 0)
            continue
        by_kind.setdefault(kind_of(path), []).append(path)
    if not any(LAYOUTS[kind].series for kind in by_kind):
        where = f"{source.path}:{series.line}"
        found = ", ".join(by_kind) or "files of other markets"
        raise ConfigError(f"{where}: expected events of {series.market}, found only {found}")
    if {"trades", "aggTrades"} <= set(by_kind):
        _left_out(by_kind.pop("trades"), "aggTrades have the same prints", report)
    return [
        part
        for kind, paths in by_kind.items()
        for part in _series(series, kind, paths, source, report)
    ]


def _series(
    series: Series, kind: str, paths: list[Path], source: Source, report: ReadReport
) -> Iterator[Series]:
    """Yield the series that files of one kind hold."""
    layout = LAYOUTS[kind]
    if not layout.series:
        _left_out(paths, f"{kind} has no events", report)
        return
    span, stamp = series.span, series.time or layout.stamp
    if kind in _CANDLES:
        span, paths = _finest(paths, span, report)
        stamp = msgspec.structs.replace(stamp, every=stamp.every or span)
    files = tuple(path.relative_to(source.root).as_posix() for path in paths)
    for name, columns, units in layout.series:
        yield msgspec.structs.replace(
            series,
            kind=name,
            files=files,
            time=stamp,
            columns=dict(columns),
            unit={**units, **{k: v for k, v in series.unit.items() if k in columns}},
            span=span,
            names=layout.names,
            counted=layout.counted,
            doubled=series.doubled or layout.doubled,
        )


def _finest(paths: list[Path], default: str, report: ReadReport) -> tuple[str, list[Path]]:
    """Return the shortest interval of candle files, and its files; longer ones add nothing."""
    by_span: dict[str, list[Path]] = {}
    for path in paths:
        found = re.search(r"-(\d+[smhd])-", path.name)
        by_span.setdefault(found[1] if found else default or "1m", []).append(path)
    finest = min(by_span, key=span_of)
    for span, longer in by_span.items():
        if span != finest:
            _left_out(longer, f"candles of {finest} are finer than those of {span}", report)
    return finest, by_span[finest]


def _left_out(paths: list[Path], why: str, report: ReadReport) -> None:
    for path in paths:
        report.reject(str(path), 0, "left out: adds nothing", why, 0)


def _ignore(_: int) -> None:
    """Ignore progress: these bytes are not part of a replay."""


def table(path: Path, wanted: dict[str, Type], report: ReadReport) -> Iterator[Columns]:
    """Return columns of one archive file as they are, `bookDepth` too.

    Raises:
        ConfigError: The name names no kind.
        DataError: A column is missing.
    """
    text = blocks(path, _ignore, report.reject)
    return read_csv(text, Reading(wanted, LAYOUTS[kind_of(path)].names), report)
