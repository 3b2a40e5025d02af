"""``liquidation-price``: where a position is force-closed on each venue."""

from __future__ import annotations

import json
import math
from typing import Annotated, cast

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from powderkeg.engine.exposure.liquidation import LiquidationPrice, Position
from powderkeg.errors import ConfigError
from powderkeg.events import PositionSide
from powderkeg.live.timekeeping.clock import now
from powderkeg.serve.answers.liquidation import price_on, shipped
from powderkeg.venues import VENUES


def show(
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    *,
    entry: Annotated[float, typer.Option(help="Price it is opened at.")],
    leverage: Annotated[float, typer.Option(help="Notional over margin.")],
    size: Annotated[float, typer.Option(help="Base coin.")] = 1.0,
    side: Annotated[str, typer.Option(help="long or short.")] = "long",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where an isolated position is liquidated, by the margin tiers of each venue."""
    position = Position(entry, size, leverage, _side(side))
    if not (0 < entry < math.inf and 0 < size < math.inf and 1 <= leverage < math.inf):
        raise ConfigError(
            "expected an entry and a size above 0 and a leverage of 1 or more, found"
            f" {entry:g}, {size:g} and {leverage:g}"
        )
    rows = [_row(name, coin.upper(), position) for name, spec in VENUES.items() if spec.leveraged]
    if as_json:
        print(json.dumps(msgspec.to_builtins(rows)))
        return
    console = Console()
    table = Table("venue", "liquidated at", "distance", "bankrupt at", "rate", "most", box=None)
    for row in rows:
        table.add_row(VENUES[row.venue].label, *_words(row))
    console.print(table)
    for row in rows:
        if row.source:
            console.print(f"{VENUES[row.venue].label}: {row.source}", style="dim")


def _side(text: str) -> PositionSide:
    if text not in {"long", "short"}:
        raise ConfigError(f"expected long or short, found {text!r}")
    return cast("PositionSide", text)


def _row(venue: str, coin: str, position: Position) -> LiquidationPrice:
    """Return a venue's answer by the tiers that are shipped."""
    symbol = VENUES[venue].reader("").symbol(coin)
    return price_on(venue, symbol, shipped(venue, symbol, now()), position)


def _words(row: LiquidationPrice) -> list[str]:
    if row.price is None or row.distance is None or row.bankruptcy is None or row.rate is None:
        return [row.why]
    return [
        f"{row.price:,.6g}" if row.price < 1_000 else f"{row.price:,.1f}",
        f"{row.distance:+.2%}",
        f"{row.bankruptcy:,.1f}",
        f"{row.rate:.2%}",
        f"{row.leverage_limit:g}x",
    ]
