"""``portfolio``: open risk of several positions, by coins that move together."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from powderkeg.cli import origin


def portfolio(
    positions: Annotated[list[str], typer.Argument(help="COIN:SIDE:R, such as BTC:long:1.")],
    url: Annotated[
        str, typer.Option(envvar="POWDERKEG_URL", help="Ask this running powderkeg.")
    ] = origin.DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the open risk of positions in R, and that of coins that have moved together.

    Asks the running server, whose prices say which coins do.
    """
    found = origin.get(url, "portfolio", {"positions": ",".join(positions)})
    print(json.dumps(found) if as_json else words_of(found))


def words_of(found: dict[str, Any]) -> str:
    """Return open risk in words: the total, a line for each group, and what it rests on."""
    lines = [f"{found['total']:g} R open, {_cap(found['most'], exceeded=found['exceeded'])}"]
    lines += [
        f"{', '.join(row['coins'])} {row['side']}: {row['r']:g} R, "
        + _cap(found["most_correlated"], exceeded=row["exceeded"])
        for row in found["groups"]
    ]
    known = [pair for pair in found["pairs"] if pair["correlation"] is not None]
    lines += [f"{' and '.join(pair['coins'])}: {pair['correlation']:.2f}" for pair in known]
    if known:
        lines.append(
            f"Correlation of {found['hours']} hourly returns; from {found['together']:g} on two"
            " coins count as one. Opposite sides are not set off."
        )
    elif found["pairs"]:
        lines.append(f"Only {found['hours']} hours of all coins are known: each stands alone.")
    return "\n".join(lines)


def _cap(most: float, *, exceeded: bool) -> str:
    return f"{'above' if exceeded else 'within'} the cap of {most:g}"
