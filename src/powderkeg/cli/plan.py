"""``plan``: stop, size, costs and liquidation of a position, around clusters that are given."""

from __future__ import annotations

import json
import re
from typing import Annotated, cast

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from powderkeg.errors import ConfigError
from powderkeg.events import PositionSide
from powderkeg.instruments import TierTable
from powderkeg.live.timekeeping.clock import now
from powderkeg.risk.costs import Costs, shrunk
from powderkeg.risk.fuel import PriceCluster
from powderkeg.risk.margin import flat_table
from powderkeg.risk.plan import Plan, Setup, Surroundings, two_plans
from powderkeg.serve.answers.liquidation import shipped
from powderkeg.venues import VENUES, spec_of

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_CLUSTER = re.compile(r"(long|short):([\d.]+)-([\d.]+)=([\d.]+)([KMB]?)")


def show(  # noqa: PLR0913  a command's parameters are its options
    coin: Annotated[str, typer.Argument(help="Such as BTC.")],
    *,
    equity: Annotated[float, typer.Option(help="Quote currency.")],
    entry: Annotated[float, typer.Option(help="Price it is opened at.")],
    side: Annotated[str, typer.Option(help="long or short.")] = "long",
    risk: Annotated[float, typer.Option(help="Fraction of equity lost at the stop.")] = 0.01,
    stop: Annotated[float, typer.Option(help="Price; 0 derives it from a cluster.")] = 0.0,
    cluster: Annotated[
        list[str] | None,
        typer.Option(help="SIDE:FLOOR-TOP=NOTIONAL, as long:148500-149200=180M; repeatable."),
    ] = None,
    leverage: Annotated[float, typer.Option(help="Notional over margin; 0: none.")] = 0.0,
    venue: Annotated[str, typer.Option(help="Whose margin tiers count.")] = "binance",
    maintenance: Annotated[float, typer.Option(help="Rate; 0: the venue's tiers.")] = 0.0,
    fee: Annotated[float, typer.Option(help="Of each side, fraction of notional.")] = 0.00055,
    entry_fee: Annotated[float, typer.Option(help="Of the entry; -1: as --fee.")] = -1.0,
    slippage: Annotated[float, typer.Option(help="Of each side, fraction.")] = 0.0001,
    funding: Annotated[float, typer.Option(help="Rate of one payment.")] = 0.0,
    fundings: Annotated[int, typer.Option(help="Payments until the target.")] = 0,
    atr: Annotated[float, typer.Option(help="Average true range of 15 min.")] = 0.0,
    spread: Annotated[float, typer.Option(help="Best ask less best bid.")] = 0.0,
    base_rate: Annotated[float, typer.Option(help="Win rate to draw to; 0: none.")] = 0.0,
    wins: Annotated[int, typer.Option(help="Past episodes that won.")] = 0,
    episodes: Annotated[int, typer.Option(help="Past episodes.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a plan with a resting order, and one after a reclaim. Evidence, and no advice."""
    if side not in {"long", "short"}:
        raise ConfigError(f"expected long or short, found {side!r}")
    if not (equity > 0 and entry > 0 and 0 < risk <= 1):
        raise ConfigError(
            "expected an equity and an entry above 0 and a risk of at most 1, found"
            f" {equity:g}, {entry:g} and {risk:g}"
        )
    if 0 < leverage < 1:
        raise ConfigError(f"expected a leverage of 0 or of at least 1, found {leverage:g}")
    table, margin_fee = _margin(coin.upper(), venue, maintenance) if leverage else (None, 0.0)
    setup = Setup(
        equity=equity, risk=risk, side=cast("PositionSide", side), entry=entry,
        costs=Costs(fee if entry_fee < 0 else entry_fee, fee, slippage, funding, fundings),
        stop=stop or None, leverage=leverage or None, table=table, margin_fee=margin_fee,
        probability=shrunk(wins, episodes, base_rate) if base_rate > 0 else None,
    )  # fmt: skip
    around = Surroundings(tuple(_cluster(text) for text in cluster or ()), atr, spread)
    try:
        found = two_plans(setup, around)
    except ValueError as why:
        raise ConfigError(str(why)) from why
    if as_json:
        print(json.dumps(msgspec.to_builtins(found)))
        return
    console = Console()
    console.print(_table("A: a limit order rests", found.rest))
    if found.wait is not None:
        console.print(_table("B: after the reclaim", found.wait))
    for words in found.rest.warnings:
        console.print(f"! {words}", highlight=False)


def _cluster(text: str) -> PriceCluster:
    found = _CLUSTER.fullmatch(text)
    if found is None:
        raise ConfigError(f"expected a cluster as long:148500-149200=180M, found {text!r}")
    side, floor, top, notional, unit = found.groups()
    return PriceCluster(
        cast("PositionSide", side), float(floor), float(top), float(notional) * _UNITS[unit]
    )


def _margin(coin: str, venue: str, maintenance: float) -> tuple[TierTable, float]:
    """Return margin tiers, and the fee the venue adds to the requirement."""
    if maintenance > 0:
        return flat_table(maintenance), 0.0
    if venue not in VENUES:
        raise ConfigError(f"expected one of {', '.join(VENUES)}, found {venue!r}")
    table = shipped(venue, VENUES[venue].reader("").symbol(coin), now())
    if table is None or spec_of(venue).kind == "inverse":
        raise ConfigError(
            f"expected --maintenance: no margin tiers of a linear contract of {coin} are shipped"
            f" for {venue}"
        )
    return table, spec_of(venue).margin_fee


def _table(title: str, made: Plan) -> Table:
    table = Table(title=title, show_header=False, box=None, title_justify="left")
    table.add_row("entry, stop", f"{made.entry:,.10g}, {made.stop:,.10g}")
    table.add_row(
        "size", f"{made.size:,.4g}, notional {made.notional:,.0f}, {made.account_leverage:.2f}x"
    )
    table.add_row("risked", f"{made.risk:,.2f}")
    lost = made.loss
    table.add_row("lost at the stop", f"{-lost.net:,.2f}, {-lost.net_r:.2f} R with costs")
    if (found := made.liquidation) is not None and found.price is not None:
        table.add_row(
            f"liquidated at {found.leverage:g}x",
            f"{found.price:,.6g}, {found.beyond_stop:.1f} stop distances beyond the stop",
        )
    for target in made.targets:
        words = f"{target.gross:.2f} R gross, {target.net:.2f} net"
        words += f", {target.break_even:.1%} to break even"
        if target.expected is not None:
            words += f", {target.expected:+.2f} expected"
        table.add_row(f"target {target.price:,.10g}", words)
    if made.asymmetry is not None:
        table.add_row("asymmetry", f"{made.asymmetry.ratio:.2f}")
    table.add_row("liquidated to the stop", f"{made.fuel_against:,.0f} of {made.side}s")
    table.add_row("liquidated to the target", f"{made.fuel_with:,.0f}")
    return table
