"""``powderkeg``: the command-line app, one module per group of commands."""

from __future__ import annotations

import sys

import typer

from powderkeg import __version__
from powderkeg.cli.commands import (
    bench,
    doctor,
    import_files,
    liquidation_price,
    maps,
    rates,
    replay,
    score,
    store,
    up,
)
from powderkeg.cli.explain import explain
from powderkeg.cli.plan import show as plan
from powderkeg.cli.portfolio import portfolio
from powderkeg.cli.signals import signals
from powderkeg.cli.watch.command import watch
from powderkeg.errors import PowderkegError
from powderkeg.log import configure

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Where leveraged crypto positions will be force-closed, how much, and how sure we are.",
)
app.command()(up.up)
app.command()(up.demo)
app.command()(up.record)
app.command()(doctor.doctor)
app.command()(replay.replay)
app.command("import")(import_files.import_data)
app.command()(score.score)
app.command("map")(maps.chart)
app.command()(watch)
app.command()(signals)
app.command()(explain)
app.command()(rates.rates)
app.command("liquidation-price")(liquidation_price.show)
app.command("plan")(plan)
app.command()(portfolio)
app.add_typer(store.app, name="store", help="Check and repair recordings.")
app.add_typer(bench.app, name="bench", help="Measure speed and accuracy.")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Run a command. Exit code 0: done, 1: refused with a reason, 2: usage."""
    try:
        configure()
        app()
    except PowderkegError as why:
        print(f"{type(why).__name__}: {why}", file=sys.stderr)
        raise SystemExit(1) from None
