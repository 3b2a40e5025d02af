"""``explain``: why a candle has a long wick, by the map as it stood before it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import json

from powderkeg.cli import origin
from powderkeg.cli.commands.replay import parse_time
from powderkeg.desk import Desk
from powderkeg.feed.drive import drive
from powderkeg.history import sources
from powderkeg.history.replay import remaining
from powderkeg.serve.codec import text
from powderkeg.signals.context.wick import SPAN
from powderkeg.signals.observe.explain import WickQuery, explained

WORDS = {
    "LIQUIDATION": "it ended at a cluster, and positions there were liquidated",
    "MAP_ONLY": "it ended at a cluster, but hardly any of it fired",
    "PRINTS_ONLY": "volume or reported liquidations were heavy, but no cluster lay there",
    "UNEXPLAINED": "no cluster lay there, and neither volume nor liquidations were heavy",
}


def explain(
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    at: Annotated[str, typer.Option(help="Any time in the candle (UTC); the last without.")] = "",
    source: Annotated[Path | None, typer.Option(help="Replay this source file first.")] = None,
    url: Annotated[
        str, typer.Option(envvar="POWDERKEG_URL", help="Ask this running powderkeg.")
    ] = origin.DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what the wicks of a candle of fifteen minutes ended at, by the map before it.

    Asks the running server, or replays a source file.
    """
    coin, candle = coin.upper(), parse_time(at) if at else 0
    if source:
        found = _replayed(source, coin, candle)
    else:
        query = {"candle": str(candle)} if candle else {}
        found = origin.ask(url, coin, {"wick": query})["wick"]
    print(json.encode(found).decode() if as_json else words_of(found))


def _replayed(source: Path, coin: str, candle: int) -> dict[str, Any]:
    desk, until = Desk(coin), (candle // SPAN + 2) * SPAN if candle else None
    drive(desk, remaining(desk, sources.load(source), until=until))
    return json.decode(text(explained(desk, WickQuery(candle=candle))))


def words_of(found: dict[str, Any]) -> str:
    """Return an explanation in words, a line for the candle, then those of each wick."""
    start, end = (datetime.fromtimestamp(found[name] / 1e6, UTC) for name in ("start", "end"))
    lines = [
        f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC: "
        + ", ".join(f"{name} {found[name]:,.10g}" for name in ("open", "high", "low", "close"))
    ]
    if not found["wicks"]:
        lengths = " and ".join(
            f"{'unknown' if found[name] is None else format(found[name], '.2f')} ({name})"
            for name in ("lower", "upper")
        )
        lines.append(
            f"No long wick: {lengths} average true ranges, {found['need']:g} needed,"
            " and twice the body"
        )
    for wick in found["wicks"]:
        lines += _wick(wick)
    return "\n".join(lines)


def _wick(wick: dict[str, Any]) -> list[str]:
    where = "no cluster"
    if wick["floor"] is not None:
        where = (
            f"{wick['side']}s {wick['floor']:,.10g} to {wick['top']:,.10g},"
            f" {wick['notional'] / 1e6:,.3g}M, {wick['fired']:.0%} fired"
        )
    rows = [f"{wick['type']} at {wick['extreme']:,.10g}: {WORDS[wick['type']]}", f"  {where}"]
    for each in wick["evidence"]:
        value = "unknown" if each["value"] is None else f"{each['value']:,.6g} {each['unit']}"
        need = "" if each["need"] is None else f", needs {each['need']:g}"
        rows.append(f"  {each['name']}: {value}{need}, {'met' if each['met'] else 'not met'}")
    chance = "a cluster lay there too" if wick["mirror"] else "no cluster lay there"
    return [*rows, f"  as far away on the other side of the open {chance}"]
