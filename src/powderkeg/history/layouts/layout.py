"""File layouts as data: their columns and meaning, and how a layout becomes series."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from powderkeg.history.importing.head import Peek
from powderkeg.history.importing.intervals import interval
from powderkeg.history.layouts.market import (
    Market,
    coin_in,
    market,
    symbol_of,
    tradable,
    venue_listed,
    venue_of,
    words_of,
)
from powderkeg.history.sources import KINDS, Column, Series, Stamp

_BARS = {"candles", "liquidation_bars", "open_interest", "ratios"}
_UNKNOWN_VENUE = "file"
"""Venue of markets of which only the symbol is known."""


class Unknown(NamedTuple):
    """A file that is not recognised, or not well enough to be used."""

    why: str
    """One sentence: what is missing, and what to do."""


class Found(NamedTuple):
    """What a file is."""

    form: str
    series: tuple[Series, ...]
    """Empty where its rows are not usable; `note` says why."""
    note: str = ""
    sure: bool = True
    """Whether the market is certain, or only the likelier of two."""


class Part(NamedTuple):
    """One series in a form."""

    kind: str
    columns: Mapping[str, Column]
    unit: Mapping[str, str] = {}  # never written to
    """Where sizes are not those of the market."""
    means: str = ""
    """Of the stamp, where it is not the form's."""
    span: str = ""
    where: Mapping[str, int | str] = {}  # never written to
    """Values of the rows that are of this part."""


class FileLayout(NamedTuple):
    """One layout, recognised by its columns and by words of its path."""

    name: str
    source: str
    """Where the layout is documented."""
    parts: tuple[Part, ...]
    time: str = ""
    means: str = "at"
    needs: tuple[str, ...] = ()
    """Columns that must be there beside those used."""
    lacks: tuple[str, ...] = ()
    path: str = ""
    """Pattern that must be found in the folders and the name, lower case, `-` for `_`."""
    unless: str = ""
    names: tuple[str, ...] = ()
    """Columns of files without a header line."""
    venue: str = ""
    symbol: str = ""
    """Column that names the market."""
    exchange: str = ""
    """Column that names the venue."""
    perpetual: bool = False
    """Whether a venue's plain name means its perpetuals, not its spot market."""
    any_coin: bool = False
    """Whether a column names the coin of each row, so that one series holds them all."""
    fits: Callable[[Peek], bool] | None = None
    """Test of the values, where columns and path are not enough."""
    note: str = ""
    refused: bool = False
    """Whether such a file has usable data but lacks information; `note` says which."""

    def has(self, peek: Peek) -> bool:
        """Return whether a file has this layout."""
        words = words_of(peek.path)
        names = set(named(self, peek).names)
        used = {n for part in self.parts for c in part.columns.values() for n in names_in(c)}
        needed = used | set(self.needs) | ({self.time} - {"", "@name"})
        return (
            needed - set(peek.constants) <= names
            and not names & set(self.lacks)
            and (not self.path or re.search(self.path, words) is not None)
            and not (self.unless and re.search(self.unless, words))
            and (self.fits is None or self.fits(named(self, peek)))
        )


def names_in(column: Column) -> tuple[str, ...]:
    """Return the names of the file's columns in a column of ours."""
    if isinstance(column, str):
        return (column,)
    return () if isinstance(column, (bool, int, float)) else (column.of, column.by)


def headless(peek: Peek) -> bool:
    """Return whether a text file has no header line."""
    return peek.form == "csv" and peek.names == tuple(str(n) for n in range(len(peek.names)))


def named(form: FileLayout, peek: Peek) -> Peek:
    """Return a file without a header line with the names that the form gives its columns."""
    n = len(form.names)
    if not n or not headless(peek) or not n <= len(peek.names) <= n + 1:
        return peek
    names = form.names + peek.names[n:]
    rows = [dict(zip(names, row.values(), strict=True)) for row in peek.rows]
    return peek._replace(names=names, rows=rows)


class Ask(NamedTuple):
    """What the user gave beside the files."""

    coin: str = ""


def apply_layout(form: FileLayout, peek: Peek, ask: Ask) -> Found | Unknown:
    """Return the series of a file with a layout."""
    if form.refused:
        return Unknown(form.note)
    if not form.parts:
        return Found(form.name, (), form.note)
    file = named(form, peek)
    places = markets(form, file, ask)
    if isinstance(places, Unknown):
        return places
    if ask.coin and all(place.coin not in {ask.coin, ""} for place, _ in places):
        coins = ", ".join(sorted({place.coin for place, _ in places}))
        return Found(form.name, (), f"it is of {coins}, where {ask.coin} is asked for")
    out: list[Series] = []
    for place, where in places:
        if ask.coin and place.coin not in {ask.coin, ""}:
            continue
        for part in form.parts:
            one = series(form, part, file, place, where)
            if isinstance(one, Unknown):
                return one
            out.append(one)
    return Found(form.name, tuple(out), form.note)


_NO_MARKET = Unknown(
    "its market is unknown: name the file or its folder after it, such as binance/BTCUSDT-1h.csv, "
    "or say --coin BTC"
)


def markets(
    form: FileLayout, peek: Peek, ask: Ask
) -> list[tuple[Market, dict[str, bool | int | float | str]]] | Unknown:
    """Return the markets of a file, each with the values that pick its rows."""
    venue = form.venue or venue_of(peek.path)
    if form.any_coin:
        return [(Market(venue or _UNKNOWN_VENUE, "*", ""), {})]
    pairs = Counter(
        (str(row.get(form.exchange, "")), str(row[form.symbol]))
        for row in peek.rows
        if form.symbol and row.get(form.symbol) not in (None, "")
    )
    out: list[tuple[Market, dict[str, bool | int | float | str]]] = []
    for exchange, symbol in sorted(pairs):
        own = venue_listed(exchange) if exchange else venue
        own = own.removesuffix("-spot") if form.perpetual else own
        place = market(own, symbol)
        where: dict[str, bool | int | float | str] = {form.symbol: symbol}
        if form.exchange and exchange:
            where[form.exchange] = exchange
        if tradable(place):
            out.append((place._replace(venue=place.venue or _UNKNOWN_VENUE), where))
    if pairs:
        return out or Unknown("it has no rows of perpetuals or futures among the first")
    place = from_path(peek.path, venue, ask.coin, peek.inner)
    return [(place, {})] if place else _NO_MARKET


def from_path(path: Path, venue: str, coin: str, inner: str = "") -> Market | None:
    """Return the market that a path names, nearest part first; else the coin asked for."""
    for text in (path.stem, *reversed(path.parent.parts), inner):
        if symbol := symbol_of(text):
            place = market(venue, symbol)
            return place._replace(venue=place.venue or _UNKNOWN_VENUE)
    for text in (path.stem, *reversed(path.parent.parts)):
        if found := coin_in(text):
            return market(venue or _UNKNOWN_VENUE, found)
    return market(venue or _UNKNOWN_VENUE, coin) if coin else None


def series(
    form: FileLayout,
    part: Part,
    peek: Peek,
    place: Market,
    where: dict[str, bool | int | float | str],
) -> Series | Unknown:
    """Return one series of a form."""
    unit = dict(part.unit)
    for amount in KINDS[part.kind].amounts:
        if amount not in part.columns or amount in unit:
            continue
        if not place.unit:
            return Unknown(
                f"how much {place.coin} one contract of {place.symbol} is, is not known here: say "
                f'unit = {{ {amount} = "contracts:..." }} in a source file (see ctVal at the venue)'
            )
        if place.unit != "base":
            unit[amount] = place.unit
    every = interval(peek, form.time) if part.kind in _BARS else ""
    means = part.means or (form.means if form.means in KINDS[part.kind].means else "at")
    span = part.span
    if part.kind in {"candles", "liquidation_bars"} and not (every or span):
        return Unknown("the length of its bars is unknown: it has fewer than two rows")
    if means == "from" and not every and not span:
        every = interval(peek, form.time)
    if means == "from" and not every and not span:
        return Unknown("the interval of its rows is unknown: it has fewer than two rows")
    return Series(
        venue=place.venue,
        market=place.symbol,
        kind=part.kind,
        files=(peek.path.as_posix(),),
        coin=place.coin,
        time=Stamp(form.time, means=means, every=every),  # pyright: ignore[reportArgumentType]
        columns=dict(part.columns),
        unit=unit,
        where={**where, **part.where},
        span="1h" if span == "8h" and _hourly(part, place) else span,
        names=form.names if peek.form == "csv" else (),
    )


def _hourly(part: Part, place: Market) -> bool:
    """Return whether a market pays funding each hour and the column is not an eight-hour rate."""
    return place.venue == "hyperliquid" and "8h" not in str(part.columns.get("rate", ""))
