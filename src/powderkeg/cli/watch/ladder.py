"""The ladder as lines of text: fuel, pull and stack, what traded, what rests, by row of price."""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct
from rich.text import Text

from powderkeg.cli.watch.state import Fuel, WatchState
from powderkeg.flow.books.ladder import centred
from powderkeg.maps.flow.ladder import Ladder
from powderkeg.serve.exports.formatting import apart, money, price_text

FIGURE: Final = 6
"""Characters of an amount."""
PRICE: Final = 11
"""Characters of a price, with the mark before it."""
FIXED: Final = 7 * FIGURE + 2 + PRICE + 7
"""Characters of all columns but the three bars."""
LONG, SHORT, BID, ASK = "deep_sky_blue1", "orange1", "green", "red"
_ROUNDING: Final = 1e-9
WALLS: Final = {"standing": "■", "pulled": "×"}
"""Signs of walls; those that traded or were cancelled elsewhere are not marked."""


class Scales(Struct, frozen=True):
    """The greatest amount of each column on the screen: a full bar."""

    bar: int
    """Characters of a full bar."""
    fuel: float
    """Dollars."""
    resting: float
    """Base coin."""


def compact(amount: float) -> str:
    """Return an amount in at most six characters, such as 0.012, 12.3, 4.56K; empty for 0."""
    if not amount:
        return ""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(amount) >= unit * 0.9995:
            return f"{amount / unit:.{_places(amount / unit)}f}{letter}"
    return f"{amount:.{_places(amount, 3)}f}"


def _places(amount: float, most: int = 2) -> int:
    """Return the decimals that leave three figures, no more than `most`."""
    return min(max(0, 2 - math.floor(math.log10(abs(amount)))), most)


def followed(ladder: Ladder, height: int, lowest: int | None) -> int:
    """Return the lowest row of a screen that price stays on; it moves only as price nears an end.

    Args:
        ladder: The ladder.
        height: Rows that fit.
        lowest: Lowest row of the last screen; None centres the price.
    """
    row = last_row(ladder)
    return row - height // 2 if lowest is None else centred(lowest, height, row, height // 4)


def scrolled(ladder: Ladder, height: int, lowest: int, by: int) -> int:
    """Return the lowest row after scrolling up by some rows, as far as the ladder reaches."""
    return max(min(lowest + by, ladder.first + ladder.rows - height), ladder.first)


def last_row(ladder: Ladder) -> int:
    """Return the row of the last price; the middle row before any."""
    known = math.isfinite(ladder.last)
    return math.floor(ladder.last / ladder.step + _ROUNDING) if known else _middle(ladder)


def _middle(ladder: Ladder) -> int:
    return ladder.first + ladder.rows // 2


def ladder_lines(state: WatchState, lowest: int, width: int, height: int) -> list[Text]:
    """Return the heading and one line a row, highest price first; none before a ladder."""
    ladder = state.ladder
    if ladder is None:
        return [Text("no ladder yet", style="dim")]
    rows = range(min(lowest + height, ladder.first + ladder.rows) - 1, lowest - 1, -1)
    fuel = state.fuel or Fuel(ladder.step, ladder.first, ladder.fuel_long, ladder.fuel_short)
    scales = _scales(ladder, fuel, rows, width)
    walls = walls_by_row(ladder)
    return [_heading(scales), *(_line(ladder, fuel, row, scales, walls) for row in rows)]


def _scales(ladder: Ladder, fuel: Fuel, rows: range, width: int) -> Scales:
    inside = [row - ladder.first for row in rows]
    return Scales(
        bar=max((width - FIXED) // 3, 2),
        fuel=max((sum(fuel.at(row)) for row in rows), default=0.0),
        resting=max((float(max(ladder.bid[i], ladder.ask[i])) for i in inside), default=0.0),
    )


def walls_by_row(ladder: Ladder) -> dict[tuple[str, int], str]:
    """Return the sign of each wall by side and row; a standing one covers a pulled one."""
    signs: dict[tuple[str, int], str] = {}
    for wall in reversed(ladder.walls):
        if sign := WALLS.get(wall.state):
            place = wall.price / ladder.step
            up = wall.side == "ask"
            row = math.ceil(place - _ROUNDING) if up else math.floor(place + _ROUNDING)
            signs[wall.side, row] = sign
    return signs


def _heading(scales: Scales) -> Text:
    names = [
        f"{'fuel':>{FIGURE}}{'':{scales.bar}}", f"{'±book':>{FIGURE}}", f"{'sold':>{FIGURE}}",
        f"{'bid':>{scales.bar + FIGURE + 1}}", f"{'price':>{PRICE}}",
        f"{'ask':<{scales.bar + FIGURE + 1}}", f"{'bought':>{FIGURE}}", f"{'delta':>{FIGURE}}",
    ]  # fmt: skip
    return Text(" ".join(names), style="bold")


def _line(
    ladder: Ladder, fuel: Fuel, row: int, scales: Scales, walls: dict[tuple[str, int], str]
) -> Text:
    i = row - ladder.first
    sold, bought = float(ladder.sold[i]), float(ladder.bought[i])
    stacked, delta = float(ladder.stacked[i]), bought - sold
    bid, ask = walls.get(("bid", row), " "), walls.get(("ask", row), " ")
    cells = [
        _fuel(fuel.at(row), scales),
        Text(f"{compact(stacked):>{FIGURE}}", style=BID if stacked > 0 else ASK),
        Text(f"{compact(sold):>{FIGURE}}", style=ASK),
        _resting(float(ladder.bid[i]), scales, bid, bid=True),
        _price(ladder, row),
        _resting(float(ladder.ask[i]), scales, ask, bid=False),
        Text(f"{compact(bought):>{FIGURE}}", style=BID),
        Text(f"{compact(delta):>{FIGURE}}", style=BID if delta > 0 else ASK),
    ]
    return Text(" ").join(cells)


def _fuel(dollars: tuple[float, float], scales: Scales) -> Text:
    """Return dollars and a bar: full blocks of longs, then shaded ones of shorts."""
    total = sum(dollars)
    filled = _length(total, scales.fuel, scales.bar)
    long = round(filled * dollars[0] / total) if total else 0
    cell = Text(f"{money(total) if total else '':>{FIGURE}}")
    cell.append("█" * long, LONG).append("▒" * (filled - long), SHORT)
    return cell.append(" " * (scales.bar - filled))


def _resting(size: float, scales: Scales, wall: str, *, bid: bool) -> Text:
    """Return a size, the sign of a wall and a bar; the mirror image for bids."""
    bar = "█" * _length(size, scales.resting, scales.bar)
    figure, style = compact(size), BID if bid else ASK
    words = (
        f"{bar:>{scales.bar}}{wall}{figure:>{FIGURE}}"
        if bid
        else f"{figure:<{FIGURE}}{wall}{bar:<{scales.bar}}"
    )
    return Text(words, style=f"bold {style}" if wall.strip() else style)


def _length(amount: float, most: float, bar: int) -> int:
    return round(amount / most * bar) if most > 0 else 0


def _price(ladder: Ladder, row: int) -> Text:
    words = price_text(row * ladder.step, apart(ladder.step))
    last = math.isfinite(ladder.last) and row == last_row(ladder)
    return Text(f"{'▶' if last else ' '}{words:>{PRICE - 1}}", style="reverse" if last else "")
