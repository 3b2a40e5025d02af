"""``map``: the level chart in the terminal, and the map as picture, JSON or CSV."""

from __future__ import annotations

import csv
import json
import math
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError, RequestError
from powderkeg.history import snapshots, sources
from powderkeg.history.columns import Report
from powderkeg.history.play import play
from powderkeg.live.clock import now as clock
from powderkeg.maps.views import VIEWS
from powderkeg.serve.made import prepare
from powderkeg.serve.pictures import heatmap_png, money
from powderkeg.serve.session import Session
from powderkeg.serve.wire import MSGPACK, pack, read_query
from powderkeg.settings import Settings
from powderkeg.sim import DEMO

Answers = dict[str, dict[str, Any]]
WANTED = ("heatmap", "levels", "bars")
ROWS = 24
"""Price rows of the level chart in the terminal, each side of the mark."""


def chart(
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    source: Annotated[Path | None, typer.Option(help="Replay this source file first.")] = None,
    snapshot: Annotated[Path | None, typer.Option(help="Use this desk's snapshot.")] = None,
    url: Annotated[str, typer.Option(help="Ask this running powderkeg.")] = "",
    span: Annotated[str, typer.Option(help="Of 12h, 1d, 3d, 5d, 7d, 30d.")] = "3d",
    png: Annotated[Path | None, typer.Option(help="Write a picture here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the levels as JSON.")] = False,
    as_csv: Annotated[Path | None, typer.Option("--csv", help="Write the levels here.")] = None,
) -> None:
    """Show where a coin's positions would die: from a server, stored data or a made market."""
    answers = _ask(url, coin, span) if url else _make(coin.upper(), span, source, snapshot)
    if png:
        png.write_bytes(heatmap_png(answers["heatmap"], answers["levels"]))
    if as_csv:
        _write_csv(as_csv, answers["levels"])
    if as_json:
        print(json.dumps(_plain(answers["levels"])))
    else:
        _show(answers)


def _ask(url: str, coin: str, span: str) -> Answers:
    """Return the views of a running server.

    Raises:
        ConfigError: It does not answer.
        RequestError: It refuses.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"expected an http address, found {url}")
    out: Answers = {}
    for name in WANTED:
        query = f"?span={span}" if name != "bars" else ""
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            f"{url.rstrip('/')}/v1/{coin}/{name}{query}", headers={"accept": MSGPACK}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                out[name] = msgspec.msgpack.decode(answer.read())
        except urllib.error.HTTPError as why:
            raise RequestError(f"{url}: {why.read().decode()}") from why
        except OSError as why:
            raise ConfigError(f"expected powderkeg to answer at {url}: {why}") from why
    return out


def _make(coin: str, span: str, source: Path | None, snapshot: Path | None) -> Answers:
    """Return the views of stored data, or of a made market where none is named."""
    if snapshot:
        session = _replayed(snapshots.load(snapshot))
    elif source:
        desk = Desk(coin)
        play(desk, sources.load(source), report=Report())
        session = _replayed(desk)
    else:
        if coin not in DEMO:
            raise ConfigError(
                f"expected --source, --snapshot or --url, or a coin of {', '.join(DEMO)}"
            )
        minute = clock() // 60_000_000 * 60_000_000
        desk = prepare(coin, 7, minute, 5.0, Settings())[1]
        session = Session("simulated", {coin: desk}, clock)
    return {
        name: msgspec.msgpack.decode(
            pack(
                session.answer(
                    coin, name, read_query({"span": span} if name != "bars" else {}, VIEWS[name][0])
                )
            )
        )
        for name in WANTED
    }


def _replayed(desk: Desk) -> Session:
    return Session("replay", {desk.coin: desk}, clock)


def _levels(levels: dict[str, Any]) -> list[tuple[float, float, float]]:
    """Return (price at the lower edge, long, short) of every row that holds anything."""
    long, short = (np.frombuffer(levels[side], "<f4") for side in ("long", "short"))
    return [
        (math.exp(levels["p0"] + r * levels["dp"]), float(long[r]), float(short[r]))
        for r in np.flatnonzero(long + short)
    ]


def _plain(levels: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without its binary columns, with levels as rows."""
    rest = {key: value for key, value in levels.items() if not isinstance(value, bytes)}
    return rest | {"levels": [{"price": p, "long": a, "short": b} for p, a, b in _levels(levels)]}


def _write_csv(path: Path, levels: dict[str, Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("price", "long_usd", "short_usd"))
        out.writerows((f"{p:.8g}", f"{a:.0f}", f"{b:.0f}") for p, a, b in _levels(levels))


def _show(answers: Answers) -> None:
    """Print the level chart: shorts above the mark, longs below."""
    levels, bars = answers["levels"], answers["bars"]
    console = Console()
    mark = levels["mark"]
    rows = _bands(levels, mark)
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
            f"{middle:,.6g}" if mark < 100 else f"{middle:,.0f}", f"{middle / mark - 1:+.1%}",
            money(long + short), f"[{side}]{bar}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"mark {mark:,.6g} · within {bars['reach']:.0%}: longs {money(bars['long'])}, "
        f"shorts {money(bars['short'])} · an estimate: fuel, not a magnet"
    )


def _bands(
    levels: dict[str, Any], mark: float, reach: float = 0.1
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
