"""A plan: entry, stop, size, liquidation, targets, and what stands between them.

Evidence about one way to act, and no advice: it says what a stop beyond the cluster costs, what is
in the way, and how often such a trade must win to earn nothing.

Source: docs/risk.md.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.events import PositionSide
from powderkeg.instruments import TierTable
from powderkeg.risk.costs import (
    Costs,
    Outcome,
    PlannedTrade,
    break_even,
    expected_r,
    outcome,
    reward_to_risk,
    size_for,
)
from powderkeg.risk.fuel import Fuel, PriceCluster, fuel_of, large_from
from powderkeg.risk.margin import CLEAR, PlannedLiquidation, planned_liquidation
from powderkeg.risk.stops import buffer_of, protective, reclaim_of, stop_beyond

LEAST_PRICE: Final = 1e-9
"""Least entry, quote currency: below what any contract trades at."""
NEAREST: Final = 1e-6
"""Least distance from entry to stop, fraction of the entry: nearer, a size is rounding error."""


class Setup(Struct, frozen=True):
    """What a plan starts from."""

    equity: float
    """Quote currency."""
    risk: float
    """Fraction of equity that is lost at the stop, before costs."""
    side: PositionSide
    """Long or short."""
    entry: float
    """Price, quote currency."""
    costs: Costs = Costs()
    """Costs of the trade."""
    stop: float | None = None
    """Price, quote currency; None derives it from the protective cluster."""
    leverage: float | None = None
    """Notional over margin; None leaves liquidation out."""
    table: TierTable | None = None
    """Margin tiers; None leaves liquidation out."""
    margin_fee: float = 0.0
    """Part of notional the venue adds to the margin requirement."""
    probability: float | None = None
    """Win rate, drawn to its base rate (`costs.shrunk`); None where none is known."""


class Surroundings(Struct, frozen=True):
    """What the map and the market say around the entry."""

    clusters: tuple[PriceCluster, ...] = ()
    """Clusters of both sides."""
    atr: float = 0.0
    """Average true range of fifteen minutes, quote currency; 0 or NaN where not known."""
    spread: float = 0.0
    """Best ask less best bid, quote currency; 0 or NaN where not known."""
    fuel: Fuel | None = None
    """The map by price; None spreads each cluster evenly."""
    large: float | None = None
    """Notional from which a cluster is large; None: the 90th percentile of those that oppose."""


class Target(Struct, frozen=True):
    """One opposing cluster as a target, at the edge that price meets first."""

    price: float
    """Price, quote currency."""
    notional: float
    """Notional of the cluster, quote currency."""
    gross: float
    """Reward-to-risk ratio before costs."""
    net: float
    """Reward-to-risk ratio after costs."""
    break_even: float
    """Win rate at which it earns nothing after costs, a fraction."""
    expected: float | None
    """Expected net gain at the given win rate, a ratio to the loss at the stop; null without a
    win rate."""
    fuel: float
    """Opposing positions that would be liquidated on the way, quote currency."""


class Asymmetry(Struct, frozen=True):
    """How far the nearest large cluster in favour is, against how deep the protective one goes."""

    ratio: float
    """Distance in favour over distance against, a ratio; below 1 the plan is against you."""
    in_favour: float
    """Distance from the entry to the nearest large opposing cluster, quote currency."""
    against: float
    """Distance from the entry to the far edge of the protective cluster, quote currency."""
    break_even: float
    """Win rate at which that ratio earns nothing, a fraction."""


class Scenario(Struct, frozen=True):
    """What the trade brings if it ends at a cluster, or at its stop."""

    at: str
    """Stop, or the side of the cluster."""
    outcome: Outcome
    """Gain or loss there."""


class Plan(Struct, frozen=True):
    """A plan with all that follows from it."""

    side: PositionSide
    """Long or short."""
    entry: float
    """Price, quote currency."""
    stop: float
    """Price, quote currency."""
    buffer: float | None
    """Distance of the stop beyond the protective cluster, fraction of its edge; null where there is
    no such cluster."""
    protective: PriceCluster | None
    """The cluster behind whose far edge the stop lies; null where there is none."""
    size: float
    """Base coin: the amount risked over the distance to the stop, costs not counted."""
    notional: float
    """At the entry, quote currency."""
    account_leverage: float
    """Notional over equity, a ratio."""
    risk: float
    """Amount risked, quote currency: 1 R."""
    loss: Outcome
    """What is lost at the stop, costs included."""
    liquidation: PlannedLiquidation | None
    """Where it would be liquidated; null without leverage or margin tiers."""
    targets: list[Target]
    """Opposing clusters beyond the entry, nearest first."""
    asymmetry: Asymmetry | None
    """Null without a protective or a large opposing cluster."""
    fuel_against: float
    """Positions of the same side that would be liquidated between entry and stop, quote
    currency."""
    fuel_with: float
    """Opposing positions up to the nearest target, quote currency; 0 without one."""
    scenarios: list[Scenario]
    """The stop, then every cluster from the lowest price up."""
    warnings: list[str]
    """What speaks against the plan, in words."""


class TwoPlans(Struct, frozen=True):
    """The same idea with a resting order, and after the cluster was swept and reclaimed."""

    rest: Plan
    """Plan A: a limit order rests at the entry, and fills when price trades through it."""
    wait: Plan | None
    """Plan B: an entry at the reclaim price, 0.5 % beyond the protective cluster, which fills only
    if price comes back; null where no cluster protects the entry, or a given stop does not lie
    beyond that price."""


def stop_of(setup: Setup, around: Surroundings) -> float | None:
    """Return the stop of a setup, quote currency; None where no cluster gives one."""
    if setup.stop is not None:
        return setup.stop
    cluster = protective(around.clusters, setup.side, setup.entry)
    if cluster is None:
        return None
    edge = cluster.floor if setup.side == "long" else cluster.top
    return stop_beyond(cluster, setup.side, buffer_of(edge, around.atr, around.spread))


def plan(setup: Setup, around: Surroundings) -> Plan:
    """Return the plan of a setup.

    Raises:
        ValueError: No stop is given and no cluster gives one, or the stop is on the wrong side of
            the entry or too near it, or the entry is next to nothing.
    """
    stop = stop_of(setup, around)
    if stop is None:
        raise ValueError(
            f"expected a stop: no cluster of {setup.side}s protects {setup.entry:,.10g}"
        )
    if setup.entry < LEAST_PRICE:
        raise ValueError(f"expected an entry of at least {LEAST_PRICE:g}, found {setup.entry:g}")
    below = setup.side == "long"
    if stop <= 0 or (stop >= setup.entry) is below or stop == setup.entry:
        where = "below" if below else "above"
        raise ValueError(f"expected a stop {where} {setup.entry:,.10g}, found {stop:,.10g}")
    if abs(stop - setup.entry) < NEAREST * setup.entry:
        raise ValueError(
            f"expected a stop at least {NEAREST:.4%} from {setup.entry:,.10g}, found {stop:,.10g}"
        )
    risk = setup.equity * setup.risk
    trade = PlannedTrade(setup.side, setup.entry, stop, size_for(risk, setup.entry, stop))
    fuel = around.fuel or fuel_of(around.clusters)
    cluster = protective(around.clusters, setup.side, setup.entry)
    targets = _targets(setup, around, trade, fuel)
    made = Plan(
        side=setup.side,
        entry=setup.entry,
        stop=stop,
        buffer=None if cluster is None else _buffer(cluster, trade),
        protective=cluster,
        size=trade.size,
        notional=trade.size * setup.entry,
        account_leverage=trade.size * setup.entry / setup.equity,
        risk=risk,
        loss=outcome(trade, stop, setup.costs),
        liquidation=_liquidation(setup, trade),
        targets=targets,
        asymmetry=_asymmetry(trade, around, cluster),
        fuel_against=fuel.between(setup.side, setup.entry, stop),
        fuel_with=targets[0].fuel if targets else 0.0,
        scenarios=_scenarios(setup, around, trade),
        warnings=[],
    )
    return replace(made, warnings=_warnings(made, setup, around))


def two_plans(setup: Setup, around: Surroundings) -> TwoPlans:
    """Return a setup with a resting order, and after a reclaim, at the same stop.

    Raises:
        ValueError: As `plan`.
    """
    rest = plan(setup, around)
    if rest.protective is None:
        return TwoPlans(rest, None)
    entry = reclaim_of(rest.protective, setup.side)
    # A stop of one's own may lie before a cluster farther away: B has no trade then, A still has.
    apart = (entry - rest.stop) * (1 if setup.side == "long" else -1)
    if apart < NEAREST * entry:
        return TwoPlans(rest, None)
    return TwoPlans(rest, plan(replace(setup, entry=entry, stop=rest.stop), around))


def _buffer(cluster: PriceCluster, trade: PlannedTrade) -> float:
    edge = cluster.floor if trade.side == "long" else cluster.top
    return trade.sign * (edge - trade.stop) / edge


def _liquidation(setup: Setup, trade: PlannedTrade) -> PlannedLiquidation | None:
    if setup.leverage is None or setup.table is None:
        return None
    return planned_liquidation(trade, setup.leverage, setup.table, setup.margin_fee)


def _opposing(trade: PlannedTrade, around: Surroundings) -> list[PriceCluster]:
    """Return the clusters of the other side beyond the entry, nearest first."""
    found = [
        c
        for c in around.clusters
        if c.side != trade.side and trade.sign * (c.near(trade.entry) - trade.entry) > 0
    ]
    return sorted(found, key=lambda c: abs(c.near(trade.entry) - trade.entry))


def _targets(setup: Setup, around: Surroundings, trade: PlannedTrade, fuel: Fuel) -> list[Target]:
    out: list[Target] = []
    for cluster in _opposing(trade, around):
        price = cluster.near(trade.entry)
        net = reward_to_risk(trade, price, setup.costs)
        out.append(
            Target(
                price, cluster.notional, reward_to_risk(trade, price), net, break_even(net),
                None if setup.probability is None else expected_r(net, setup.probability),
                fuel.between(cluster.side, trade.entry, price),
            )
        )  # fmt: skip
    return out


def _asymmetry(
    trade: PlannedTrade, around: Surroundings, cluster: PriceCluster | None
) -> Asymmetry | None:
    opposing = _opposing(trade, around)
    least = large_from(opposing) if around.large is None else around.large
    large = [c for c in opposing if c.notional >= least]
    if cluster is None or not large:
        return None
    far = cluster.floor if trade.side == "long" else cluster.top
    against, in_favour = abs(trade.entry - far), abs(large[0].near(trade.entry) - trade.entry)
    ratio = in_favour / against
    return Asymmetry(ratio, in_favour, against, break_even(ratio))


def _scenarios(setup: Setup, around: Surroundings, trade: PlannedTrade) -> list[Scenario]:
    rows = [Scenario("stop", outcome(trade, trade.stop, setup.costs))]
    for cluster in sorted(around.clusters, key=lambda c: c.floor):
        price = cluster.near(trade.entry)
        if price != trade.entry:
            rows.append(Scenario(cluster.side, outcome(trade, price, setup.costs)))
    return rows


def _warnings(made: Plan, setup: Setup, around: Surroundings) -> list[str]:
    inside = [c for c in around.clusters if c.floor <= made.stop <= c.top]
    words = [
        f"the stop lies inside a cluster of {c.side}s, {c.floor:,.10g} to {c.top:,.10g}"
        for c in inside
    ]
    if made.protective is None:
        words.append("no cluster protects the entry: the stop is your own")
    elif made.buffer is not None and made.buffer <= 0:
        words.append("the stop lies before the far edge of the protective cluster")
    if made.asymmetry is not None and made.asymmetry.ratio < 1:
        a = made.asymmetry
        words.append(
            f"asymmetry {a.ratio:.2f}: {a.in_favour:,.10g} in favour, {a.against:,.10g} against,"
            f" {a.break_even:.0%} to break even"
        )
    if not made.targets:
        words.append("no opposing cluster stands beyond the entry: there is no target")
    return words + _of_margin(made, setup)


def _of_margin(made: Plan, setup: Setup) -> list[str]:
    """Return what speaks against the leverage of a plan."""
    words: list[str] = []
    if setup.leverage is None and made.account_leverage > 1:
        words.append(f"the size needs a leverage of at least {made.account_leverage:.2f}")
    if setup.leverage is not None and made.notional / setup.leverage > setup.equity:
        words.append(f"the margin at {setup.leverage:g}x is more than the equity")
    found = made.liquidation
    if found is None:
        return words
    if found.price is None:
        if found.why != "no price liquidates it":
            words.append(f"no liquidation price: {found.why}")
    elif found.beyond_stop is not None and found.beyond_stop < CLEAR:
        safe = found.safe_leverage
        words.append(
            f"liquidation {found.beyond_stop:.2f} stop distances beyond the stop, {CLEAR:g} asked"
            f" for: " + ("no leverage would do" if safe is None else f"{safe:g}x would do")
        )
    return words
