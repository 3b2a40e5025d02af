"""Source files (TOML): lists of stored data and the meaning of its columns. See docs/sources.md."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from powderkeg.errors import ConfigError
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.instruments import coin_called, unit_of

NAME = "@name"
"""The time column of files whose name contains the time."""
_SPANS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_AMOUNT = re.compile(r"base|quote|(contracts|quote):\d+(\.\d+)?([eE][-+]?\d+)?")


class RatioColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """A derived column: one column divided by another."""

    of: str
    by: str


Column: TypeAlias = bool | int | float | str | RatioColumn
"""A column's name, a quotient of two, or (a number or true/false) a constant."""


class Stamp(Struct, frozen=True, forbid_unknown_fields=True):
    """The time column. `means` says whether the stamp is a row's time, start or end."""

    column: str
    """Its name, or ``@name`` where the file's name contains the time of all its rows."""
    unit: Literal["", "s", "ms", "us", "ns", "iso"] = ""
    """Not needed: the unit follows from the size of each stamp."""
    means: Literal["at", "from", "to"] = "at"
    every: str = ""
    """Expected distance of rows, such as ``5m``; 1.5 times that without a row is a Gap."""
    day_first: bool | None = None
    """Whether 01/02/2025 is 1 February, where it is ambiguous."""


class SyntheticBars(Struct, frozen=True, forbid_unknown_fields=True):
    """Synthetic bars from open interest with a price; names the candles that complete them."""

    volume: str = ""
    """Market id of candles whose volume is spread; empty where volume is unknown."""
    extremes: str = ""
    """Market id of candles whose high and low are placed when their span is over."""


class Series(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of data of one market, in one or more files."""

    venue: str
    market: str
    kind: str
    files: tuple[str, ...]
    coin: str = ""
    multiplier: float | None = None
    """Coins in one unit of the market; without it, derived from the symbol."""
    time: Stamp | None = None
    columns: dict[str, Column] = field(default_factory=dict[str, Column])
    unit: dict[str, str] = field(default_factory=dict[str, str])
    where: dict[str, bool | int | float | str] = field(
        default_factory=dict[str, bool | int | float | str]
    )
    stamp: Literal["us", "ns"] | None = None
    span: str = ""
    """Length of a candle, of a liquidation bar, or between funding payments."""
    bars: SyntheticBars | None = None
    names: tuple[str, ...] = ()
    """Column names of files without a header line."""
    doubled: bool = False
    """Whether the feed is known to print rows twice: equal rows are then one."""
    counted: bool = False
    """Whether ids rise by one, so that a jump is a gap."""
    line: int = 0
    """Line of its header in the source file; filled in by `load`."""

    @property
    def id(self) -> str:
        """Market id, as events carry it."""
        return f"{self.venue}:{self.market}"

    @property
    def every(self) -> int:
        """Expected distance of rows in µs, 0 if not set."""
        return span_of(self.time.every) if self.time and self.time.every else 0

    @property
    def length(self) -> int:
        """`span` in µs, else `every`."""
        return span_of(self.span) if self.span else self.every


class Shape(Struct, frozen=True):
    """Which columns a kind of data has."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    """Columns that `unit` may call base, quote or contracts."""
    means: tuple[str, ...] = ("at",)


_AT = ("at", "from", "to")
_BAR = ("from", "to")
KINDS: dict[str, Shape] = {
    "trades": Shape(("price", "size"), ("id",), ("side", "maker"), ("size",)),
    "candles": Shape(
        ("open", "high", "low", "close"), ("volume", "buy"), (), ("volume", "buy"), _BAR
    ),
    "open_interest": Shape(("size",), ("price",), (), ("size",), _AT),
    "funding": Shape(("rate",), ("interval",), means=_AT),
    "mark": Shape(("price",), ("index",), means=_AT),
    "index": Shape(("price",), means=_AT),
    "liquidations": Shape(("price", "size"), ("id", "bankruptcy"), ("side", "holder"), ("size",)),
    "liquidation_bars": Shape(("long", "short"), ("price",), (), ("long", "short"), _BAR),
    "ratios": Shape((), (), ("accounts", "top_accounts", "top_positions", "taker"), means=_AT),
    "book": Shape(("bids", "asks")),
    "positions": Shape(
        ("account", "size", "entry"),
        ("coin", "leverage", "liquidation", "value", "equity"),
        ("side", "holder"),
        ("size",),
    ),
    "fills": Shape(
        ("account", "price", "size"), ("coin", "id", "taker"), ("side", "maker"), ("size",)
    ),
    "ledger": Shape(("account", "delta")),
    "liquidated": Shape(("account", "value", "equity")),
    "wire": Shape(),
    "zip": Shape(),
}


class Source(Struct, frozen=True):
    """A source file, read and checked."""

    name: str
    path: Path
    root: Path
    series: tuple[Series, ...]
    passages: tuple[str, ...] = ()
    """Price ranges whose notional a replay tracks: ``side low high from to``, times UTC."""

    def coins(self) -> list[str]:
        """Return the coins that can be replayed, in the order of the file."""
        found = (coin_of(series) for series in self.series)
        return [coin for coin in dict.fromkeys(found) if coin != "*"]

    def files(self, series: Series) -> list[Path]:
        """Return the files of a series, in the order of its globs, each glob by name.

        Raises:
            ConfigError: A glob matches nothing.
        """
        out: list[Path] = []
        for glob in series.files:
            found = sorted(self.root.glob(glob))
            if not found:
                where = f"{self.path}:{series.line}"
                raise ConfigError(f"{where}: expected {glob} below {self.root}, found no such file")
            out += [path for path in found if path not in out]
        return out


class _File(Struct, forbid_unknown_fields=True):
    name: str
    series: list[Series]
    root: str = ""
    passages: tuple[str, ...] = ()


def load(path: str | Path) -> Source:
    """Return a source file, checked.

    Data is searched below the folder named by POWDERKEG_DATA, then below `root` (relative to the
    source file), then beside the source file: the first that has any of the files is used.

    Raises:
        ConfigError: The file is not a source file; names file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as why:
        raise ConfigError(f"{path}: expected a source file: {why.strerror}") from why
    try:
        file = msgspec.toml.decode(text, type=_File)
    except msgspec.DecodeError as why:
        raise ConfigError(f"{path}:{_line(text, str(why))}: {why}") from why
    heads = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[series]]"]
    heads += [1] * (len(file.series) - len(heads))
    series = [
        msgspec.structs.replace(each, line=line)
        for each, line in zip(file.series, heads, strict=True)
    ]
    for each in series:
        try:
            _check(each, series)
        except ValueError as why:
            line = _line(text, f"`{why.args[1]}` - at `$.series[{series.index(each)}]`")
            raise ConfigError(f"{path}:{line}: {why.args[0]}") from why
    folder = path.parent
    return Source(file.name, path, _root(folder, file), tuple(series), file.passages)


def _root(folder: Path, file: _File) -> Path:
    """Return the first folder that has any of the source's files, else the first searched."""
    configured = os.environ.get("POWDERKEG_DATA")
    places = [Path(configured)] if configured else []
    places += [folder / file.root, folder]
    globs = [glob for series in file.series for glob in series.files]
    return next((p for p in places if any(any(p.glob(g)) for g in globs)), places[0])


def span_of(text: str) -> int:
    """Return a span such as ``5m`` or ``8h`` in µs.

    Raises:
        ValueError: It is not a span.
    """
    if not re.fullmatch(r"[1-9]\d{0,5}[smhd]", text):
        raise ValueError(f"expected a span such as 1s, 5m, 8h or 1d, found {text!r}")
    return int(text[:-1]) * _SPANS[text[-1]]


def coin_of(series: Series) -> str:
    """Return the coin of a series: as given, else from its symbol; ``*`` where rows name it."""
    if series.coin:
        return coin_called(series.coin) if series.multiplier is None else series.coin
    if "coin" in series.columns:
        return "*"
    return coin_of_symbol(series.market)


def coin_of_symbol(symbol: str) -> str:
    """Return the coin that a symbol such as BTCUSD_PERP or BTC-USDT-SWAP is about."""
    return unit_of(symbol)[0]


def _error(why: str, key: str) -> ValueError:
    """Return an error, with the key of the source file it is about."""
    return ValueError(why, key)


def _check(series: Series, all_series: list[Series]) -> None:
    shape = KINDS.get(series.kind)
    if shape is None:
        known = ", ".join(KINDS)
        raise _error(f"kind {series.kind!r} is not supported; supported are {known}", "kind")
    if not series.files:
        raise _error("expected at least one file", "files")
    if any(Path(glob).is_absolute() or ".." in Path(glob).parts for glob in series.files):
        raise _error("expected files below the root, named relative to it", "files")
    for name, text in (("span", series.span), ("every", series.time.every if series.time else "")):
        try:
            _ = span_of(text) if text else 0
        except ValueError as why:
            raise _error(f"{name}: {why}", name) from why
    if series.kind == "wire" and series.stamp is None:
        raise _error('a wire series needs stamp = "us" or "ns", the unit before each frame', "kind")
    _check_market(series, all_series)
    if series.kind in {"wire", "zip"}:
        return
    _check_columns(series, shape)
    _check_time(series, shape)
    _check_bars(series, all_series)


def _check_market(series: Series, all_series: list[Series]) -> None:
    if series.kind == "wire" and series.market == "*" and not series.coin:
        raise _error("a wire series of all markets of a coin needs that coin", "market")
    every = [each.multiplier for each in all_series if each.id == series.id]
    given = sorted({each for each in every if each is not None})
    if len(given) > 1 or not all(0 < each < math.inf for each in given):
        raise _error(
            f"expected one multiplier above 0 for {series.id}, found {given}", "multiplier"
        )


def _check_columns(series: Series, shape: Shape) -> None:
    given, kind = series.columns, series.kind
    for name in shape.required:
        if name not in given:
            raise _error(f"{kind} need a column {name!r}; given are {', '.join(given)}", "columns")
    if shape.one_of and not any(name in given for name in shape.one_of):
        raise _error(f"{kind} need one of the columns {', '.join(shape.one_of)}", "columns")
    known = shape.required + shape.optional + shape.one_of
    for name in given:
        if name not in known:
            raise _error(f"{kind} have no column {name!r}; known are {', '.join(known)}", name)
    _check_units(series, shape)


def _check_units(series: Series, shape: Shape) -> None:
    given = series.columns
    if series.unit.get("long") != series.unit.get("short"):
        raise _error("expected one unit for 'long' and 'short'", "unit")
    for name, unit in series.unit.items():
        if name not in given:
            raise _error(f"unit of {name!r}, which is not among the columns", "unit")
        allowed = _units(name, shape)
        if not re.fullmatch(allowed, unit):
            raise _error(f"expected the unit of {name!r} to be {allowed}, found {unit!r}", "unit")
        by_price = unit.startswith("quote") and series.kind != "liquidation_bars"
        if by_price and not ({"price", "close", "entry"} & set(given)):
            raise _error(f"{name!r} in {unit} needs a price column to become base coin", "unit")


def _units(name: str, shape: Shape) -> str:
    """Return the units a column may have, as a pattern."""
    if name in shape.amounts:
        return _AMOUNT.pattern
    if name == "rate":
        return "fraction|percent"
    if name == "interval":
        return "h|m|s"
    return "share|ratio" if name in shape.one_of else "base"


def _check_time(series: Series, shape: Shape) -> None:
    time = series.time
    if time is None:
        raise _error(f"{series.kind} need time = {{ column = ... }}", "kind")
    if time.means not in shape.means:
        allowed = " or ".join(shape.means)
        raise _error(f"the stamp of {series.kind} means {allowed}, found {time.means!r}", "means")
    if time.means == "from" and not series.length:
        raise _error('means = "from" needs every or span, to know when a row is over', "time")
    if series.kind in {"candles", "liquidation_bars"} and not series.length:
        raise _error(f"{series.kind} need span, or time.every", "kind")
    if series.kind == "funding" and not (series.span or "interval" in series.columns):
        raise _error('funding needs its interval: span = "8h", or a column interval', "kind")


def _check_bars(series: Series, all_series: list[Series]) -> None:
    if series.bars is None:
        return
    if series.kind != "open_interest" or "price" not in series.columns or not series.every:
        raise _error("bars are made from open_interest with a price and time.every", "bars")
    candles = {each.id for each in all_series if each.kind == "candles"}
    for name in _named(series.bars):
        if name not in candles:
            raise _error(f"bars name {name!r}, which has no candles here", "bars")


def _named(bars: SyntheticBars) -> list[str]:
    return [name for name in (bars.volume, bars.extremes) if name]


def _line(text: str, why: str) -> int:
    """Return the line an error is about: as named in it, or found by its path and key."""
    named = re.search(r"line (\d+)", why)
    if named:
        return int(named[1])
    lines = text.splitlines()
    place = re.search(r"\$\.series\[(\d+)\]([\w.\[\]]*)", why)
    heads = [n for n, line in enumerate(lines) if line.strip() == "[[series]]"]
    if not place or int(place[1]) >= len(heads):
        return 1
    start = heads[int(place[1])]
    end = next((n for n in heads if n > start), len(lines))
    keys = re.findall(r"\.(\w+)", place[2])[::-1] + re.findall(r"`(\w+)`", why)
    for key in keys:
        for n in range(start, end):
            if re.search(rf"\b{re.escape(key)}\b", lines[n]):
                return n + 1
    return start + 1
