"""``bench``: speed and accuracy, measured."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def engine(*, as_json: AsJson = False) -> None:
    """Time the engine: trades, flush, mark, render, thirty days of candles, a day of trades."""
    from powderkeg.bench import engine  # noqa: PLC0415  compiles, and only here

    _print(engine.engine(), as_json=as_json)


@app.command("sim-truth")
def sim_truth(
    *,
    seeds: Annotated[int, typer.Option(help="How many of the eight fixed seeds.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Score the map against the truth of simulated markets, beside the static four-tier map."""
    from powderkeg.evaluation import sim_truth as proof  # noqa: PLC0415  compiles, and only here

    chosen = proof.SEEDS[:seeds]
    console = Console(stderr=True)
    with (
        Progress(console=console, disable=not console.is_terminal) as bar,
        ProcessPoolExecutor(min(len(chosen), os.cpu_count() or 1)) as pool,
    ):
        task = bar.add_task("simulated markets", total=len(chosen))
        runs: list[dict[str, dict[str, float]]] = []
        for run in pool.map(proof.run_seed, chosen):
            runs.append(run)
            bar.advance(task)
    _print(proof.summary(runs, chosen), as_json=as_json)


@app.command()
def overshoot(
    *,
    markets: Annotated[int, typer.Option(help="How many of the four test markets.")] = 4,
    days: Annotated[float, typer.Option(help="Days of each; the first three fill the map.")] = 8.0,
    as_json: AsJson = False,
) -> None:
    """Score the overshoot forecast on simulated markets that are pushed to levels."""
    from powderkeg.evaluation.overshoot import scoring  # noqa: PLC0415  compiles, and only here

    seeds = [*scoring.FIT, *scoring.TEST[:markets]]
    with ProcessPoolExecutor(min(len(seeds), os.cpu_count() or 1)) as pool:
        found = list(pool.map(scoring.played, seeds, [days] * len(seeds)))
    fit, test = found[: len(scoring.FIT)], found[len(scoring.FIT) :]
    _print(scoring.report([touch for each in fit for touch in each], test), as_json=as_json)


@app.command()
def feed(*, as_json: AsJson = False) -> None:
    """Time socket bytes through store and reader into a desk, beside ccxt.pro."""
    from powderkeg.bench.feed import run_feed  # noqa: PLC0415  starts processes, and only here

    _print(run_feed(), as_json=as_json)


@app.command()
def flow(*, as_json: AsJson = False) -> None:
    """Time the order-flow reads of fifty books, and a ladder of six."""
    from powderkeg.bench.flow import run_flow  # noqa: PLC0415  compiles, and only here

    _print(run_flow(), as_json=as_json)


@app.command("flow-truth")
def flow_truth(
    *,
    seeds: Annotated[int, typer.Option(help="How many synthetic books or markets.")] = 6,
    sim: Annotated[bool, typer.Option("--sim", help="On simulated markets instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score walls, pulled walls and absorption on labelled synthetic books of ten minutes.

    Simulated markets have three venues and twenty minutes each.
    """
    from powderkeg.evaluation.flow import scores, simulated  # noqa: PLC0415  compiles, and only here

    if sim:
        _print(simulated.report(range(simulated.SEEDS, simulated.SEEDS + seeds)), as_json=as_json)
    else:
        _print(scores.report(range(scores.SEEDS, scores.SEEDS + seeds)), as_json=as_json)


@app.command("flow-real")
def flow_real(
    source: Annotated[Path, typer.Argument(help="Source file with recorded books.")] = Path(
        "tests/sources/hyperliquid_202606.toml"
    ),
    *,
    as_json: AsJson = False,
) -> None:
    """Count how often each order-flow read fires on recorded books, and what it costs."""
    from powderkeg.bench.flow_real import run_flow_real  # noqa: PLC0415  compiles, and only here

    _print(run_flow_real(source), as_json=as_json)


@app.command()
def signals(*, as_json: AsJson = False) -> None:
    """Time all signals of twenty coins for one second, and the reading of their scenes."""
    from powderkeg.bench.signals import run_signals  # noqa: PLC0415  compiles, and only here

    _print(run_signals(), as_json=as_json)


@app.command("signal-controls")
def signal_controls(
    *,
    walks: Annotated[int, typer.Option(help="Walks of each trade.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Count what the signals claim on placebo walks and hard negatives: nothing is right."""
    from powderkeg.evaluation.signals.controls import run_controls  # noqa: PLC0415  only here

    _print(run_controls(walks), as_json=as_json)


@app.command()
def latency(
    *,
    rate: Annotated[int, typer.Option(help="Messages per second of the simulated venues.")] = 5000,
    seconds: Annotated[float, typer.Option(help="How long to watch.")] = 30.0,
    late: Annotated[bool, typer.Option(help="Let one venue join meanwhile.")] = False,
    as_json: AsJson = False,
) -> None:
    """Time from an event at a venue to a column on the page's socket."""
    from powderkeg.bench.latency import run_latency  # noqa: PLC0415  as above

    _print(asyncio.run(run_latency(rate, seconds, late=late)), as_json=as_json)


@app.command()
def viewers(
    *,
    count: Annotated[int, typer.Option(help="How many pages watch.")] = 1000,
    seconds: Annotated[float, typer.Option(help="How long to watch.")] = 20.0,
    as_json: AsJson = False,
) -> None:
    """Measure what pages cost the server, and the delay of the newest column."""
    from powderkeg.bench.viewers import run_viewers  # noqa: PLC0415  as above

    _print(asyncio.run(run_viewers(count, seconds)), as_json=as_json)


def _print(answer: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer))
        return
    table = Table(show_header=False, box=None)
    for key, value in answer.items():
        named = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else [value]
        rows = value if isinstance(value, list) else named
        shown = "\n".join(f"{row:,.4g}" if isinstance(row, float) else str(row) for row in rows)
        table.add_row(key.replace("_", " "), shown)
    Console().print(table)
