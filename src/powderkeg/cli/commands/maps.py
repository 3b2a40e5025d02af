"""``map``: the level chart in the terminal, and the map as picture, JSON or CSV."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from powderkeg.cli.commands.replay import parse_time
from powderkeg.cli.commands.store import home
from powderkeg.cli.origin import Answers, Queries, Where, find
from powderkeg.errors import ConfigError
from powderkeg.history import fixings
from powderkeg.history.currencies import DOLLAR
from powderkeg.serve.exports import tables
from powderkeg.serve.exports.formatting import apart, money, price_text, significant
from powderkeg.serve.exports.pictures import PictureStyle, heatmap_png
from powderkeg.serve.startup.terminal import say

ROWS = 24
"""Price rows of the level chart in the terminal, each side of the mark."""
REACH = 0.1
"""How far from the mark it goes, as a fraction."""


def chart(  # noqa: PLR0913, PLR0917  a command's parameters are its options
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    source: Annotated[Path | None, typer.Option(help="Replay this source file first.")] = None,
    snapshot: Annotated[Path | None, typer.Option(help="Use this desk's snapshot.")] = None,
    url: Annotated[
        str, typer.Option(envvar="POWDERKEG_URL", help="Ask this running powderkeg.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(envvar="POWDERKEG_STORE", help="Folder `up` recorded in.")
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Show a simulated market.")] = False,
    span: Annotated[str, typer.Option(help="Of 15m, 1h, 4h, 12h, 1d, 3d, 5d, 7d, 30d.")] = "3d",
    at: Annotated[str, typer.Option(help="As it stood at this time (UTC).")] = "",
    png: Annotated[Path | None, typer.Option(help="Write a picture here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the levels as JSON.")] = False,
    as_csv: Annotated[Path | None, typer.Option("--csv", help="Write a table here.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write a table here.")] = None,
    table: Annotated[str, typer.Option(help="Of levels, clusters, heatmap.")] = "levels",
    ccy: Annotated[str, typer.Option(help="Currency of picture and tables.")] = DOLLAR,
) -> None:
    """Show where a coin's positions would be liquidated.

    Asks the running server, then looks into stored data. Only --simulate shows a simulated market.
    """
    if table not in tables.KINDS:
        raise ConfigError(f"expected a table of {', '.join(tables.KINDS)}, found {table!r}")
    coin, moment = coin.upper(), parse_time(at) if at else 0
    origin, answers = find(
        coin, _wanted(span), moment, Where(source, snapshot, url, data or home(), simulate)
    )
    say(origin)
    if png:
        rate = fixings.table().rate(ccy, answers["levels"]["as_of"])
        png.write_bytes(
            heatmap_png(answers["heatmap"], answers["levels"], PictureStyle(ccy=ccy), rate)
        )
    if as_csv:
        _write(as_csv, "csv", table, answers, ccy)
    if parquet:
        _write(parquet, "parquet", table, answers, ccy)
    if as_json:
        print(json.dumps(_plain(answers["levels"])))
    else:
        _show(answers)


def _wanted(span: str) -> Queries:
    """Return the query of each view that is needed."""
    return {"heatmap": {"span": span}, "levels": {"span": span, "bands": "1"}, "bars": {}}


def _levels(levels: dict[str, Any]) -> list[tuple[float, float, float]]:
    """Return (price at the lower edge, long, short) of every row that holds anything."""
    long, short = (np.frombuffer(levels[side], "<f4") for side in ("long", "short"))
    return [
        (math.exp(levels["p0"] + r * levels["dp"]), float(long[r]), float(short[r]))
        for r in np.flatnonzero(long + short)
    ]


def _plain(levels: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without its binary columns, with levels as rows."""
    rest = {k: v for k, v in levels.items() if not isinstance(v, bytes) and k != "bands"}
    return rest | {"levels": [{"price": p, "long": a, "short": b} for p, a, b in _levels(levels)]}


def _write(path: Path, form: tables.Form, name: str, answers: Answers, ccy: str) -> None:
    view, make = tables.KINDS[name]
    schema, batches = make(answers[view], ccy, fixings.table())
    with path.open("wb") as file:
        file.writelines(tables.write(form, schema, batches))


def _show(answers: Answers) -> None:
    """Print the level chart: shorts above the mark, longs below."""
    levels, bars = answers["levels"], answers["bars"]
    console = Console()
    mark = levels["mark"]
    rows = _bands(levels, mark)
    digits = apart(mark * REACH / ROWS)
    most = max((a + b for _, _, a, b in rows), default=1.0) or 1.0
    table = Table(box=None, title=f"{levels['coin']} · {levels['source']} · {levels['model']}")
    table.add_column("price", justify="right")
    table.add_column("from mark", justify="right")
    table.add_column("would be liquidated", justify="right")
    table.add_column("")
    for low, high, long, short in rows:
        side = "orange1" if short > long else "deep_sky_blue1"
        middle = (low + high) / 2
        bar = "█" * round((long + short) / most * 40)
        table.add_row(
            price_text(middle, digits), f"{middle / mark - 1:+.1%}",
            money(long + short), f"[{side}]{bar}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"mark {significant(mark)} · within {bars['reach']:.0%}: longs {money(bars['long'])}, "
        f"shorts {money(bars['short'])} · an estimate: fuel, not a magnet"
    )


def _bands(
    levels: dict[str, Any], mark: float, reach: float = REACH
) -> list[tuple[float, float, float, float]]:
    """Return (low, high, long, short) of equal bands around the mark, highest first."""
    step = reach / ROWS
    out: list[tuple[float, float, float, float]] = []
    known = _levels(levels)
    for i in range(ROWS - 1, -ROWS - 1, -1):
        low, high = mark * (1 + i * step), mark * (1 + (i + 1) * step)
        inside = [(a, b) for p, a, b in known if low <= p < high]
        out.append((low, high, sum(a for a, _ in inside), sum(b for _, b in inside)))
    return out
