"""``signals``: the episodes of stored data or of a scripted market, each with its base rate."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from powderkeg.desk import Desk
from powderkeg.evaluation.signals.scripted import signals_of as scripted
from powderkeg.evaluation.signals.scripted import start_of
from powderkeg.evaluation.signals.wires import LONGEST, Wires
from powderkeg.events import MINUTE
from powderkeg.feed.drive import drive
from powderkeg.history.replay import events
from powderkeg.history.sources import load
from powderkeg.serve.codec import text
from powderkeg.settings import Settings
from powderkeg.signals.outcomes.base_rate import BaseRate
from powderkeg.signals.views import EpisodeRow, Signals, SignalsQuery, signals_of
from powderkeg.sim.scenario.script import named, shipped


def signals(
    source: Annotated[
        str, typer.Argument(help="A source file, a scenario file, or the name of a scenario.")
    ] = "",
    coin: Annotated[str, typer.Option(help="Coin of a source; the first without it.")] = "",
    kind: Annotated[str, typer.Option("--type", help="Only this kind of signal.")] = "",
    wires: Annotated[
        bool, typer.Option("--wires", help="Play a scenario over the wires of a simulated venue.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every episode of a replay: states, times, outcome, base rate and placebo.

    Without a source the scenarios are named that come with powderkeg.
    """
    if not source:
        for name in shipped():
            print(f"{name:24} {named(name).title}")
        return
    found, since = _played(source, kind) if wires else _replayed(source, coin, kind)
    if as_json:
        sys.stdout.buffer.write(text(found) + b"\n")
        return
    _show(found, since)


def _played(source: str, kind: str) -> tuple[Signals, int]:
    """Return the signals of a desk that read a scenario from wires, and when the script began."""
    played = Wires(named(source))
    desk = played.run(min(played.scenario.minutes, LONGEST))
    return signals_of(desk.signals, SignalsQuery(type=kind, limit=500), desk.now), played.start


def _replayed(source: str, coin: str, kind: str) -> tuple[Signals, int]:
    """Return the signals of a source, and the time that minutes are counted from; 0 for none."""
    query = SignalsQuery(type=kind, limit=500)
    if source in shipped():
        scenario = named(source)
        start = start_of(scenario)
        end = start + round(scenario.minutes) * MINUTE
        return signals_of(scripted(scenario), query, end), start
    stored = load(Path(source))
    desk = Desk(coin or stored.coins()[0], Settings(bar_signals=True))
    drive(desk, events(stored, desk.coin, stride=MINUTE))
    return signals_of(desk.signals, query, desk.now), 0


def _show(found: Signals, since: int) -> None:
    table = Table(box=None, title="episodes", title_justify="left")
    for name in ("type", "cluster", "states", "score", "plan"):
        table.add_column(name, overflow="fold", no_wrap=name == "states")
    for row in sorted(found.episodes, key=lambda row: (row.begun, row.id)):
        table.add_row(row.type, _cluster(row), _states(row, since), f"{row.score:.0f}", _plan(row))
    console = Console()
    console.print(table)
    rates = Table(box=None, title="what became of them", title_justify="left")
    for name in ("type", "question", "n", "frequency", "placebo", "says"):
        rates.add_column(name, overflow="fold")
    for each in found.statistics:
        rates.add_row(each.type, each.rate.words, str(each.rate.n), *_rate(each.rate))
    console.print(rates)


def _rate(rate: BaseRate) -> tuple[str, str, str]:
    known = rate.frequency == rate.frequency
    frequency = f"{rate.frequency:.0%} ({rate.low:.0%} to {rate.high:.0%})" if known else "-"
    placebo = f"{rate.placebo:.0%} of {rate.placebo_n}" if rate.placebo_n else "-"
    return frequency, placebo, rate.verdict


def _cluster(row: EpisodeRow) -> str:
    if row.cluster is None:
        return "-"
    place = row.cluster
    return f"{place.side}s {place.floor:,.6g} to {place.top:,.6g}, {place.notional / 1e6:,.3g}M"


def _states(row: EpisodeRow, since: int) -> str:
    return "\n".join(
        f"{_time(move.time, since)} {move.state} at {move.price:,.6g}" for move in row.transitions
    )


def _time(at: int, since: int) -> str:
    if since:
        return f"{(at - since) / MINUTE:6.1f} min"
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _plan(row: EpisodeRow) -> str:
    plan = row.plan
    if plan is None:
        return "-"
    aim = f", target {plan.target:,.6g}" if plan.target == plan.target else ""
    return f"{plan.entry:,.6g}, stop {plan.stop:,.6g}{aim}"
