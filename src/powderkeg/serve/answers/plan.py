"""A plan around a position: stop, size, liquidation and targets, from the coin's live map."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from powderkeg.errors import RequestError
from powderkeg.events import PositionSide
from powderkeg.instruments import TierTable
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.risk.costs import Costs, shrunk
from powderkeg.risk.margin import flat_table
from powderkeg.risk.plan import Plan, Setup, Surroundings, two_plans
from powderkeg.serve.answers.envelope import Source
from powderkeg.serve.answers.liquidation import market_tiers
from powderkeg.serve.session import Session
from powderkeg.venues import spec_of

_Amount = Annotated[float, Meta(ge=0.01, le=1e12)]
_Price = Annotated[float, Meta(ge=0, le=1e12)]
_Rate = Annotated[float, Meta(ge=0, le=0.1)]
_Count = Annotated[int, Meta(ge=0, le=100_000)]


class PlanQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A position that is planned."""

    equity: _Amount
    """Quote currency."""
    risk: Annotated[float, Meta(ge=1e-6, le=1)] = 0.01
    """Fraction of equity lost at the stop, before costs."""
    side: PositionSide = "long"
    entry: _Price = 0.0
    """Price, quote currency; 0 means the last price."""
    stop: _Price = 0.0
    """Price, quote currency; 0 derives it from the protective cluster."""
    leverage: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """Notional over margin; 0 leaves liquidation out."""
    venue: str = ""
    """Venue whose margin tiers count; empty means that of the leading market."""
    maintenance: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    """Maintenance rate, a fraction; 0 takes the venue's margin tiers."""
    entry_fee: _Rate = 0.0
    """Fee on the entry, a fraction of notional."""
    exit_fee: _Rate = 0.0
    """Fee on the exit, a fraction of notional."""
    slippage: _Rate = 0.0
    """Price given up on each side, a fraction of notional."""
    funding: Annotated[float, Meta(ge=-0.1, le=0.1)] = 0.0
    """Rate of one funding payment, a fraction; positive: longs pay shorts."""
    fundings: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """Number of funding payments until the target."""
    base_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Win rate that few episodes are drawn to, a fraction; 0 leaves expectations out."""
    wins: _Count = 0
    """Number of past episodes that won."""
    episodes: _Count = 0
    """Number of past episodes."""
    venues: tuple[str, ...] = ()
    """Venues whose map counts; none means all."""


class PlanAnswer(Struct, frozen=True, kw_only=True):
    """A plan with a resting order, and one after a reclaim. Evidence, and no advice."""

    coin: str
    """The coin."""
    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is, such as which venues did not answer."""
    as_of: int
    """Time of the newest event, µs UTC."""
    now: int
    """Time of the server, µs UTC; a replay stands at its own."""
    price: OptionalFloat
    """Price of the last trade of the leading market, quote currency; null before any."""
    atr: OptionalFloat
    """Average true range of fifteen minutes, quote currency; null where it is not known."""
    spread: OptionalFloat
    """Spread of the tightest live book, quote currency; null without one."""
    clusters: int
    """Number of clusters of the map that the plan knows."""
    probability: float | None
    """Win rate drawn to its base rate, a fraction; null where no base rate was given."""
    costs: Costs
    """Costs that the plan counts."""
    rest: Plan
    """Plan A: a limit order rests at the entry, and fills when price trades through it."""
    wait: Plan | None
    """Plan B: an entry 0.5 % beyond the near edge of the protective cluster, once it was swept and
    reclaimed; null where no cluster protects the entry, or a given stop does not lie beyond that
    price."""


def planned(
    session: Session, coin: str, query: PlanQuery, around: Surroundings, spread: float
) -> PlanAnswer:
    """Return the plans of a query.

    Args:
        session: Where the coin is served.
        coin: Its name.
        query: The position.
        around: The map around it.
        spread: Of the tightest book, quote currency.

    Raises:
        RequestError: No such coin, no price, no stop, or a venue without margin tiers.
    """
    desk = session.desk(coin)
    entry = query.entry or desk.price
    if not entry > 0:
        raise RequestError(f"expected an entry: nothing is known of the price of {coin} yet")
    if query.wins > query.episodes:
        raise RequestError(f"expected at most {query.episodes} wins, found {query.wins}")
    table, fee = _margin(session, coin, query)
    known = query.base_rate > 0
    costs = Costs(query.entry_fee, query.exit_fee, query.slippage, query.funding, query.fundings)
    setup = Setup(
        equity=query.equity, risk=query.risk, side=query.side, entry=entry, costs=costs,
        stop=query.stop or None, leverage=query.leverage or None, table=table, margin_fee=fee,
        probability=shrunk(query.wins, query.episodes, query.base_rate) if known else None,
    )  # fmt: skip
    try:
        both = two_plans(setup, replace(around, spread=spread))
    except ValueError as why:
        raise RequestError(str(why)) from why
    return PlanAnswer(
        coin=coin, source=session.source, note=session.note, as_of=desk.now,
        now=session.now(desk), price=desk.price, atr=around.atr, spread=spread,
        clusters=len(around.clusters), probability=setup.probability, costs=costs,
        rest=both.rest, wait=both.wait,
    )  # fmt: skip


def _margin(session: Session, coin: str, query: PlanQuery) -> tuple[TierTable | None, float]:
    """Return the margin tiers of a query, and the fee the venue adds to the requirement.

    Raises:
        RequestError: A leverage is given, and no tiers of the venue are known.
    """
    if not query.leverage:
        return None, 0.0
    if query.leverage < 1:
        raise RequestError(f"expected a leverage of 0 or of at least 1, found {query.leverage:g}")
    if query.maintenance:
        return flat_table(query.maintenance), 0.0
    desk = session.desk(coin)
    names = session.collector.markets(coin) if session.collector else desk.markets
    leading = desk.leader
    venue = query.venue or (leading.venue if leading is not None else "")
    market = next((name for name in sorted(names) if name.partition(":")[0] == venue), "")
    table = market_tiers(session, market) if market else None
    if table is None or spec_of(venue).kind == "inverse":
        raise RequestError(
            f"expected a maintenance rate: no margin tiers of a linear contract of {coin} are known"
            f" for {venue or 'any venue'}"
        )
    return table, spec_of(venue).margin_fee
