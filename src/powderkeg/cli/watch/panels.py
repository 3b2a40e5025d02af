"""The header, the tape and the read as lines of text."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from rich.text import Text

from powderkeg.cli.watch.ladder import compact
from powderkeg.cli.watch.state import Print, WatchState
from powderkeg.events import SECOND
from powderkeg.maps.flow.flow_view import venue_of
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.maps.flow.read import ReadRow, Unit
from powderkeg.maps.flow.tape import LARGE, LONG, SHORT
from powderkeg.serve.exports.formatting import money, significant

SIGNS: Final = {"met": "✓", "waiting": "◷", "not met": "○", "unknown": "?"}
"""Sign of each state of the read."""
COLOURS: Final = {"met": "green", "waiting": "yellow", "not met": "default", "unknown": "dim"}
LIQUIDATED: Final = {LONG: "LIQ long", SHORT: "LIQ short"}
TAPE_WIDTH: Final = 51
"""Characters of the tape."""
OLD: Final = 5.0
"""Seconds without news from which the age is written in red."""


def header(state: WatchState, coin: str, query: LadderQuery, least: float, now: float) -> Text:
    """Return coin, price, source, age, and what was asked for, in one line.

    Args:
        state: What was received.
        coin: The coin.
        query: What the ladder was asked for.
        least: Smallest print shown, quote currency.
        now: Time by the caller's clock, seconds.
    """
    line = Text(f"{coin} ", style="bold")
    if state.about and state.ladder:
        age = (state.about.now - state.about.as_of) / SECOND + now - state.received
        line.append(f"{_price(state.ladder.last)} ").append(
            f"· {state.about.source} · ", "not bold"
        )
        line.append(f"{seconds(age)} old", "bold red" if age > OLD else "not bold")
        line.append(f" · row {state.ladder.step:g}", "not bold")
    line.append(f" · window {query.window} s · prints from {money(least)}", "not bold")
    if state.missed:
        line.append(f" · {state.missed} messages missed", "bold yellow")
    return line


def problem_line(state: WatchState, width: int) -> Text:
    """Return what is wrong, in one line; empty while messages arrive."""
    words = f"! {state.problem}" if state.problem else ""
    return _cut(Text(words, style="bold red"), width)


def tape_lines(state: WatchState, least: float, width: int, height: int) -> list[Text]:
    """Return the heading and the newest prints of at least a notional, newest first."""
    heading = Text(f"{'time':<8} {'venue':<8} {'price':>9} {'size':>7} {'notional':>6}", "bold")
    kept = (each for each in reversed(state.prints) if each.notional >= least)
    lines = [heading, *(_print(each) for each in islice(kept, max(height - 1, 0)))]
    return [_cut(line, width) for line in lines]


def _print(each: Print) -> Text:
    at = datetime.fromtimestamp(each.time / SECOND, UTC)
    tag = LIQUIDATED.get(each.mark, "")
    sign = "" if tag else "+" if each.size > 0 else "-"
    style = "green" if each.size > 0 else "red"
    if tag:
        style = "bold magenta"
    elif each.mark == LARGE:
        style = f"bold bright_{style}"
    return Text(
        f"{at:%H:%M:%S} {venue_of(each.market):<8.8} {_price(each.price):>9} "
        f"{sign + compact(abs(each.size)):>7} {money(each.notional):>6}"
        f"{' ' + tag if tag else ' *' if each.mark == LARGE else ''}",
        style=style,
    )


def read_lines(state: WatchState, width: int) -> list[Text]:
    """Return one line a row of the read: sign, word, figure of its threshold, n, age, need."""
    if state.read is None:
        return [Text("no read yet", style="dim")]
    return [_cut(_row(row), width) for row in state.read.rows]


def _row(row: ReadRow) -> Text:
    figure = f"{amount(row.figure, row.unit)} of {amount(row.threshold, row.unit)}"
    age = "no data" if row.age is None else seconds(row.age)
    line = Text(f"{SIGNS[row.state]} {row.name:<8}{row.word:<23}", style=COLOURS[row.state])
    line.append(f"{figure:>14} n {row.n:<6}{age:>7} ", "not bold default")
    return line.append(f"needs {row.need} · {row.n_of} · {row.detail}", "dim")


def amount(figure: float, unit: Unit) -> str:
    """Return a figure of the read in its unit; a dash where it is not known."""
    if math.isnan(figure):
        return "–"
    match unit:
        case "fraction of price":
            return f"{figure:.2%}"
        case "ratio":
            return f"{figure:.2f}"
        case "multiple":
            return f"{figure:.1f}x"
        case "percentile":
            return f"{figure:.0f}"


def seconds(duration: float) -> str:
    """Return a duration with a unit: 0.3 s, 12 s, 5 min, 3 h."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if duration >= 2 * size:
            return f"{duration / size:.0f} {unit}"
    return f"{duration:.0f} s" if duration >= 9.95 else f"{duration:.1f} s"


def _price(price: float) -> str:
    return significant(price) if math.isfinite(price) else "no price yet"


def _cut(line: Text, width: int) -> Text:
    line.truncate(max(width, 1), overflow="ellipsis")
    return line
